// Which resources the API server has that can be listed and watched: each stored thing once, in its group's preferred version.
import type { KubernetesConfig } from './config.ts'
import type { Connection } from './connection.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { resourceName } from '#records/object-key.ts'
import { statusOf } from './failure.ts'

export interface ServedResource {
	/** `pods`, `deployments.apps`: unique. */
	readonly name: string
	readonly group: string
	readonly version: string
	readonly resource: string
	readonly kind: string
	readonly namespaced: boolean
	/** Served by an aggregated API server, whose revisions are of its own storage. */
	readonly aggregated: boolean
}

/** What makes custom resources. */
export const definitions = 'customresourcedefinitions.apiextensions.k8s.io'

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const array = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : [])

const accept =
	'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'
const answerBytesMax = 64 * 1024 * 1024
/** One stored object shown in two groups: only the first is recorded (kubernetes/pkg/controlplane/storageversionhashdata). */
const sameStorage: ReadonlySet<string> = new Set(['events.events.k8s.io'])
const extensionsGroup = 'extensions'

export async function discover(connection: Connection, config: KubernetesConfig, signal: AbortSignal): Promise<readonly ServedResource[]> {
	const read = (path: string): Promise<Fields> => readJson(connection, path, { accept, signal, silenceMs: config.watchSilenceMs })
	const found: ServedResource[] = []
	for (const path of ['/api', '/apis']) {
		const answer = await read(path)
		if (Array.isArray(answer['items'])) found.push(...readAggregated(answer))
		else found.push(...(await readPlain(path, answer, read)))
	}
	const aggregated = await aggregatedGroups(read)
	return choose(found, config).map((served) =>
		aggregated.has(`${served.group}/${served.version}`) ? { ...served, aggregated: true } : served,
	)
}

/** apidiscovery.k8s.io APIGroupDiscoveryList: versions in the order the server prefers them. */
export function readAggregated(list: Fields): readonly ServedResource[] {
	const found: ServedResource[] = []
	for (const group of array(list['items'])) {
		for (const version of array(group['versions'])) {
			for (const served of array(version['resources'])) {
				const kind = text(fields(served['responseKind'])['kind'])
				const entry: Fields = { name: served['resource'], kind, verbs: served['verbs'], namespaced: served['scope'] === 'Namespaced' }
				const resource = toResource(text(fields(group['metadata'])['name']), text(version['version']), entry)
				if (resource) found.push(resource)
			}
		}
	}
	return found
}

/** The older form: one document for each group and version. One that does not answer (a broken aggregated API) is left out. */
async function readPlain(root: string, answer: Fields, read: (path: string) => Promise<Fields>): Promise<readonly ServedResource[]> {
	const versions: string[] = []
	if (root === '/api') versions.push('v1')
	for (const group of array(answer['groups'])) {
		const preferred = text(fields(group['preferredVersion'])['groupVersion'])
		const all = array(group['versions']).map((version) => text(version['groupVersion']))
		versions.push(...[preferred, ...all.filter((version) => version !== preferred)].filter((version) => version !== ''))
	}
	const found: ServedResource[] = []
	for (const groupVersion of versions) {
		try {
			const list = await read(`${root}/${groupVersion}`)
			const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
			for (const entry of array(list['resources'])) {
				const resource = toResource(group ?? '', version ?? '', entry)
				if (resource) found.push(resource)
			}
		} catch (error) {
			if (!(error instanceof KubetapeError) || statusOf(error) === undefined) throw error
		}
	}
	return found
}

function toResource(group: string, version: string, entry: Fields): ServedResource | undefined {
	const resource = text(entry['name'])
	const kind = text(entry['kind'])
	const verbs: readonly unknown[] = Array.isArray(entry['verbs']) ? entry['verbs'] : []
	if (!/^[a-z0-9-]+$/.test(resource) || kind === '' || version === '' || !verbs.includes('list') || !verbs.includes('watch'))
		return undefined
	return {
		name: resourceName({ resource, group }),
		group,
		version,
		resource,
		kind,
		namespaced: entry['namespaced'] === true,
		aggregated: false,
	}
}

/** Whether the configuration wants the resource recorded. */
export function isConfigured(served: ServedResource, config: KubernetesConfig): boolean {
	const matches = (patterns: readonly string[]): boolean =>
		patterns.some((pattern) => pattern === served.name || (pattern.startsWith('*') && (pattern === '*' || pattern === `*.${served.group}`)))
	return (config.include.length === 0 || matches(config.include)) && !matches(config.exclude)
}

/** The first version of each resource, without what is shown in another group as well, and as configured. */
function choose(found: readonly ServedResource[], config: KubernetesConfig): readonly ServedResource[] {
	const chosen = new Map<string, ServedResource>()
	for (const served of found) {
		if (sameStorage.has(served.name) || chosen.has(served.name)) continue
		if (served.group === extensionsGroup && found.some((other) => other.group !== extensionsGroup && other.resource === served.resource))
			continue
		if (isConfigured(served, config)) chosen.set(served.name, served)
	}
	return [...chosen.values()]
}

/** `group/version` of what another server answers. Where APIServices may not be read, none is known. */
async function aggregatedGroups(read: (path: string) => Promise<Fields>): Promise<ReadonlySet<string>> {
	try {
		const list = await read('/apis/apiregistration.k8s.io/v1/apiservices')
		const specs = array(list['items']).map((item) => fields(item['spec']))
		return new Set(
			specs.filter((spec) => text(fields(spec['service'])['name']) !== '').map((spec) => `${text(spec['group'])}/${text(spec['version'])}`),
		)
	} catch (error) {
		if (error instanceof KubetapeError && statusOf(error) !== undefined) return new Set()
		throw error
	}
}

/** Throws KUBERNETES_UNAVAILABLE where the answer is cut off, too long or no JSON object. */
async function readJson(connection: Connection, path: string, options: Parameters<Connection['get']>[1]): Promise<Fields> {
	const bytes = await readAll(await connection.get(path, options), answerBytesMax)
	try {
		return fields(JSON.parse(bytes.toString('utf8')))
	} catch (error) {
		throw new KubetapeError('KUBERNETES_UNAVAILABLE', `the answer to ${path} is no JSON`, { cause: error })
	}
}

export async function readAll(stream: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
	const chunks: Buffer[] = []
	let size = 0
	try {
		for await (const chunk of stream) {
			size += chunk.length
			if (size > bytesMax) break
			chunks.push(chunk)
		}
	} catch (error) {
		throw new KubetapeError('KUBERNETES_UNAVAILABLE', 'the answer was cut off', { cause: error })
	}
	if (size > bytesMax)
		throw new KubetapeError('KUBERNETES_UNAVAILABLE', `the answer is longer than ${bytesMax} bytes`, { details: { tooLong: true } })
	return Buffer.concat(chunks)
}
