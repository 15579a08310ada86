// The package has the program whole, without types, and says what it needs at the versions that were tested.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '#test/support/program.ts'
import { compileModule, compileTree, packagedFolders } from '#tools/package-code.ts'
import { packageManifest, shrinkwrap, type Manifest } from '#tools/package-manifest.ts'

const folder = temporaryFolder('package')
afterAll(() => folder.remove())

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
const manifest = read('package.json') as Manifest

describe('compileModule', () => {
	it('keeps every character where it was, and names modules as they are there', () => {
		const text =
			"import { a, type B } from './a.ts'\nconst c: B = await import(\"#records/id.ts\")\nnew URL('./worker.ts', import.meta.url)\n"
		const compiled = compileModule(text)
		expect(compiled).toBe(
			"import { a,        } from './a.js'\nconst c    = await import(\"#records/id.js\")\nnew URL('./worker.js', import.meta.url)\n",
		)
		expect(compiled).toHaveLength(text.length)
	})

	it('leaves other text alone', () => {
		const text = "const a = 'in records/codec.ts, and ./x.ts too'\n"
		expect(compileModule(text)).toBe(text)
	})
})

describe('compileTree', () => {
	it('takes every module of the program, none of them typed, and nothing names one that is not there', () => {
		compileTree('.', folder.path)
		const sources = packagedFolders.flatMap((top) =>
			(readdirSync(top, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts')).map((name) => join(top, name)),
		)
		expect(sources.length).toBeGreaterThan(150)
		expect(sources.filter((path) => !existsSync(join(folder.path, path.replace(/\.ts$/, '.js'))))).toEqual([])
		expect(existsSync(join(folder.path, 'collectors/etcd/types.generated.json'))).toBe(true)
	})

	it('refuses a module that names another which is not there', () => {
		const root = join(folder.path, 'broken')
		for (const top of packagedFolders) writeFileSync(join(makeFolder(root, top), 'a.ts'), "// a\nimport './b.ts'\n")
		expect(() => compileTree(root, join(folder.path, 'out'))).toThrow('records/a.ts names records/b.js')
	})
})

function makeFolder(root: string, top: string): string {
	const path = join(root, top)
	mkdirSync(path, { recursive: true })
	return path
}

describe('its manifest', () => {
	const packed = packageManifest(manifest, packagedFolders)

	it('needs a Node that has the features, and nothing of the developers', () => {
		expect(packed).toMatchObject({
			name: 'kubetape',
			version: manifest.version,
			engines: { node: '>=24' },
			dependencies: manifest.dependencies,
		})
		expect(Object.keys(packed)).not.toContain('private')
		expect(Object.keys(packed)).not.toContain('scripts')
		expect(Object.keys(packed['imports'] as object)).toEqual(packagedFolders.map((path) => `#${path.split('/')[0]}/*`).toSorted(byManifest))
	})

	it('pins the whole tree: with sums, and without what only developers need', () => {
		const { packages } = shrinkwrap(manifest, read('package-lock.json') as Parameters<typeof shrinkwrap>[1]) as {
			readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly integrity?: string }>>
		}
		const names = Object.keys(packages)
		for (const name of Object.keys(manifest.dependencies)) expect(names).toContain(`node_modules/${name}`)
		expect(names.filter((name) => /node-linux|vitest|typescript$|playwright/.test(name))).toEqual([])
		expect(names.filter((name) => name !== '' && packages[name]?.integrity === undefined)).toEqual([])
	})
})

/** The order in which package.json has the aliases. */
function byManifest(a: string, b: string): number {
	const order = Object.keys(manifest.imports)
	return order.indexOf(a) - order.indexOf(b)
}
