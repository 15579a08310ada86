// What is looked at and made before the first put: whether it is the server that the configuration says, the templates, the registry.
import { KubetapeError } from '#runtime/errors.ts'
import { errorIn, shownReason } from './classify.ts'
import type { Connection } from './client.ts'
import type { ElasticsearchStoreConfig } from './config.ts'
import type { Searcher } from './search.ts'
import { templateRequests } from './templates.ts'

const option = 'store.elasticsearch'

/** Rejects with CONFIG_INVALID where something else answers, or another version than the one that is configured. */
export async function checkServer(connection: Connection, { url, compatibility }: ElasticsearchStoreConfig): Promise<void> {
	const { status, text } = await connection.ask({ method: 'GET', path: '/' })
	if (/media_type_header_exception|compatible-with/.test(text) && status === 400)
		throw new KubetapeError(
			'CONFIG_INVALID',
			`${option}.compatibility is ${compatibility}, which the server at ${url} is not: set it to ${compatibility === 9 ? 8 : 9}`,
		)
	let version: string | undefined
	try {
		const parsed = JSON.parse(text) as { readonly tagline?: string; readonly version?: { readonly number?: string } }
		version = parsed.tagline === 'You Know, for Search' ? parsed.version?.number : undefined
	} catch {
		version = undefined // no JSON: something else answers there
	}
	if (version === undefined)
		throw new KubetapeError('CONFIG_INVALID', `${option}.url: what answers at ${url} is no Elasticsearch (HTTP ${status})`)
	if (Number(version.split('.')[0]) < 8)
		throw new KubetapeError('CONFIG_INVALID', `${option}.url: Elasticsearch ${version} at ${url} is too old: 8 or newer is needed`)
}

const noFlattened = /No handler for type \[flattened\]|unknown type \[flattened\]/i

/** Templates and the registry's index. What the server cannot do is left out; no question of ours needs it. */
export async function installTemplates(searcher: Searcher, config: ElasticsearchStoreConfig): Promise<void> {
	if (!(await install(searcher, config, true))) await install(searcher, config, false)
	const { registry } = searcher.names
	const made = await searcher.connection.ask({ method: 'PUT', path: `/${registry}` })
	const error = made.status < 300 ? undefined : errorIn(made.text)
	if (error && error.type !== 'resource_already_exists_exception')
		throw new KubetapeError('STORAGE_UNAVAILABLE', `the index ${registry} cannot be made: ${shownReason(error)}`)
	// What one that ended in the middle of a put has left is seen from now on.
	await searcher.refresh(registry)
	await searcher.refreshSound(searcher.names.every())
}

/** False where the server does not know the type `flattened`. */
async function install(searcher: Searcher, config: ElasticsearchStoreConfig, flattened: boolean): Promise<boolean> {
	const requests = templateRequests({ ...config, flattened })
	// Index templates name components, which have to be there.
	for (const wave of ['/_component_template/', '/_index_template/']) {
		const wanted = requests.filter(({ path }) => path.startsWith(wave))
		const answers = await Promise.all(wanted.map(({ path, body }) => searcher.connection.ask({ method: 'PUT', path, body })))
		for (const [index, answer] of answers.entries()) {
			if (answer.status < 300) continue
			if (flattened && noFlattened.test(answer.text)) return false
			const error = errorIn(answer.text) ?? { type: `HTTP ${answer.status}`, reason: '' }
			const code = answer.status >= 500 ? 'STORAGE_UNAVAILABLE' : 'INTERNAL'
			throw new KubetapeError(code, `the template ${wanted[index]?.path} is refused: ${shownReason(error)}`)
		}
	}
	return true
}
