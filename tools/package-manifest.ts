// package.json and npm-shrinkwrap.json of the package: what it needs to run, at the very versions that were tested.

interface LockEntry {
	readonly version?: string
	readonly dev?: boolean
	readonly devOptional?: boolean
	readonly [key: string]: unknown
}

export interface Manifest {
	readonly name: string
	readonly version: string
	readonly description: string
	readonly license: string
	readonly dependencies: Readonly<Record<string, string>>
	readonly optionalDependencies: Readonly<Record<string, string>>
	readonly imports: Readonly<Record<string, string>>
}

const nodeRange = '>=24'
const keywords = ['kubernetes', 'etcd', 'audit', 'timeline', 'history', 'incident']

/** `folders` are those that are packaged: aliases lead to no others. Without the Node that the work tree brings: the machine has its own. */
export function packageManifest(source: Manifest, folders: readonly string[]): Readonly<Record<string, unknown>> {
	const { name, version, description, license, dependencies, imports } = source
	const tops = new Set(folders.map((folder) => folder.split('/')[0]))
	return {
		name,
		version,
		description,
		keywords,
		license,
		type: 'module',
		bin: { kubetape: 'cli/kubetape.mjs' },
		engines: { node: nodeRange },
		imports: Object.fromEntries(Object.entries(imports).filter(([alias]) => tops.has(alias.slice(1, -2)))),
		dependencies,
	}
}

/** The lock file's tree without what only developers need (format: docs.npmjs.com, package-lock.json, lockfileVersion 3). */
export function shrinkwrap(source: Manifest, lock: { readonly packages: Readonly<Record<string, LockEntry>> }): unknown {
	const { name, version, license, dependencies } = source
	const left = Object.keys(source.optionalDependencies).map((own) => `node_modules/${own}`)
	const packages = Object.entries(lock.packages).filter(
		([path, entry]) => path !== '' && entry.dev !== true && entry.devOptional !== true && !left.includes(path),
	)
	const root = { name, version, license, dependencies, bin: { kubetape: 'cli/kubetape.mjs' }, engines: { node: nodeRange } }
	return { name, version, lockfileVersion: 3, requires: true, packages: { '': root, ...Object.fromEntries(packages) } }
}
