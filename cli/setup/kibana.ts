// kubetape setup kibana: looks whether a Kibana is there and new enough, and imports the dashboards. Doing it again changes nothing.
import { savedObjectsFile } from '#dashboards/kibana/saved-objects.ts'
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError, isRetryable } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import { askKibana, fileForm, type KibanaAddress, type KibanaAnswer } from './kibana-client.ts'

interface ImportError {
	readonly type?: string
	readonly id?: string
	readonly title?: string
	readonly meta?: { readonly title?: string }
	readonly error?: {
		readonly type?: string
		readonly message?: string
		readonly references?: readonly { readonly type: string; readonly id: string }[]
	}
}

interface ImportAnswer {
	readonly success?: boolean
	readonly successCount?: number
	readonly errors?: readonly ImportError[]
	readonly message?: string
}

interface StatusAnswer {
	readonly version?: { readonly number?: string }
	readonly status?: { readonly overall?: { readonly level?: string; readonly summary?: string } }
}

const oldest = 9
const errorsShown = 3
const reasonCharacters = 300

/** Undefined where the text is no JSON object. */
function parsed<T>(text: string): T | undefined {
	try {
		const value: unknown = JSON.parse(text)
		return typeof value === 'object' && value !== null ? (value as T) : undefined
	} catch {
		return undefined // the caller says what it is, by the status
	}
}

const cut = (text: string): string => (text.length > reasonCharacters ? `${text.slice(0, reasonCharacters)}…` : text)
const saidBy = ({ status, text }: KibanaAnswer): string =>
	cut(parsed<{ message?: string }>(text)?.message ?? (text.trim() || `HTTP ${status}`))

/** What both requests can be answered with, whatever they ask. */
function refusedBy(address: KibanaAddress, answer: KibanaAnswer): KubetapeError | undefined {
	const { status, headers } = answer
	const at = address.url.href
	if (headers['x-elastic-product'] === 'Elasticsearch' && headers['kbn-name'] === undefined)
		return new KubetapeError('KIBANA_REFUSED', `at ${at} is Elasticsearch: give the address of Kibana, whose port is 5601 as a rule`)
	if (status >= 300 && status < 400)
		return new KubetapeError(
			'KIBANA_REFUSED',
			`${at} sends on to ${headers.location ?? 'elsewhere'}: give Kibana's own address, with its base path`,
		)
	if (status === 401 || status === 403) {
		const why =
			address.authorization === undefined
				? 'asks who you are: give --api-key-file, or --username and --password-file'
				: `refuses: ${saidBy(answer)}`
		return new KubetapeError('KIBANA_AUTH', `Kibana at ${at} ${why}`)
	}
	if (status === 429 || status >= 500)
		return new KubetapeError('KIBANA_UNAVAILABLE', `Kibana at ${at} answers ${status}: ${saidBy(answer)}`)
	return undefined
}

/** Rejects where no Kibana is there, or one that is not ready or too old. */
async function checkKibana(address: KibanaAddress): Promise<void> {
	const answer = await askKibana(address, 'GET', '/api/status')
	const refused = refusedBy(address, answer)
	if (refused) throw refused
	const status = parsed<StatusAnswer>(answer.text)
	if (answer.status !== 200 || !status?.status)
		throw new KubetapeError('KIBANA_REFUSED', `at ${address.url.href} is no Kibana: it answers /api/status with ${answer.status}`)
	const { level, summary } = status.status.overall ?? {}
	if (level === 'unavailable' || level === 'critical')
		throw new KubetapeError('KIBANA_UNAVAILABLE', `Kibana at ${address.url.href} is ${level}: ${cut(summary ?? '')}`)
	// Who is not signed in is not told the version: then the import says what it is.
	const version = status.version?.number
	if (version !== undefined && Number.parseInt(version, 10) < oldest)
		throw new KubetapeError('KIBANA_VERSION', `Kibana at ${address.url.href} is ${version}: the dashboards need ${oldest}.0 or newer`)
}

function shownError({ type, id, title, meta, error }: ImportError): string {
	const references = error?.references?.map((each) => `${each.type} ${each.id}`).join(', ')
	const why = error?.message ?? (references === undefined ? (error?.type ?? 'unknown') : `${error?.type}: ${references}`)
	return `${type} “${title ?? meta?.title ?? id}” (${why})`
}

function importRefused(errors: readonly ImportError[]): KubetapeError {
	const shown = errors.slice(0, errorsShown).map(shownError).join('; ')
	const more = errors.length > errorsShown ? `; and ${errors.length - errorsShown} more` : ''
	const text = cut(`${shown}${more}`)
	if (errors.some(({ error }) => /more recent version of Kibana/i.test(error?.message ?? '')))
		return new KubetapeError('KIBANA_VERSION', `the dashboards need Kibana ${oldest}.0 or newer: ${text}`)
	return new KubetapeError('KIBANA_REFUSED', `Kibana did not take ${errors.length} of the saved objects: ${text}`)
}

/** The number of saved objects that are there now. */
async function importObjects(address: KibanaAddress, space: string | undefined, prefix: string): Promise<number> {
	const inSpace = space === undefined ? '' : `/s/${encodeURIComponent(space)}`
	const form = fileForm('file', 'kubetape.ndjson', savedObjectsFile(prefix))
	const answer = await askKibana(address, 'POST', `${inSpace}/api/saved_objects/_import?overwrite=true`, form)
	const refused = refusedBy(address, answer)
	if (refused) throw refused
	if (answer.status === 404 && space !== undefined)
		throw new KubetapeError('KIBANA_REFUSED', `Kibana at ${address.url.href} has no space ${space}: ${saidBy(answer)}`)
	if (answer.status === 413)
		throw new KubetapeError(
			'KIBANA_REFUSED',
			'Kibana, or a proxy before it, does not take so large a file: raise savedObjects.maxImportPayloadBytes',
		)
	const result = parsed<ImportAnswer>(answer.text)
	if (answer.status !== 200 || result?.success === undefined) {
		if (/more recent version of Kibana/i.test(answer.text))
			throw importRefused([{ type: 'file', id: 'kubetape.ndjson', error: { message: saidBy(answer) } }])
		throw new KubetapeError('KIBANA_REFUSED', `Kibana at ${address.url.href} did not import: ${saidBy(answer)}`)
	}
	if (!result.success) throw importRefused(result.errors ?? [])
	return result.successCount ?? 0
}

export interface SetupKibana {
	readonly address: KibanaAddress
	readonly space?: string | undefined
	readonly prefix: string
	/** So long it is tried again while Kibana is not there yet. */
	readonly waitMs: number
}

/** Resolves with the number of saved objects and the address of the dashboards. */
export async function setupKibana(
	{ address, space, prefix, waitMs }: SetupKibana,
	clock: Clock,
): Promise<{ readonly objects: number; readonly url: string }> {
	const end = clock.nowMicros() + waitMs * 1000
	const backoff = createBackoff({ clock, firstMs: 500, maxMs: 5000 })
	const { signal } = new AbortController()
	for (;;) {
		try {
			await checkKibana(address)
			const objects = await importObjects(address, space, prefix)
			const base = `${address.url.href.replace(/\/+$/, '')}${space === undefined ? '' : `/s/${encodeURIComponent(space)}`}`
			return { objects, url: `${base}/app/dashboards#/view/${encodeURIComponent(`${prefix}-cluster-timeline`)}` }
		} catch (error) {
			if (!isRetryable(error) || clock.nowMicros() >= end) throw error
			await backoff.wait(signal)
		}
	}
}
