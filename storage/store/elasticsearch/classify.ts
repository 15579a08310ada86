// What an answer to a bulk request means for what was sent: by the type of the error before the status, since 429 can be for ever and 400 can be the index' fault (docs/decisions/022).
import { elasticLimits } from './limits.ts'

/** Of one row. */
export type RowMeaning =
	/** It is there now. */
	| 'stored'
	/** It was there already. */
	| 'duplicate'
	/** It will never be taken as it is. */
	| 'permanent'
	/** Perhaps the document's fault: sent alone it shows. */
	| 'alone'
	/** Refused for now. */
	| 'retry'
	/** The index, or the whole cluster, takes nothing until somebody or something changes that. */
	| 'wait'
	/** Our own defect, or the configuration's. */
	| 'ours'

/** Of a whole request that was refused. */
export type RequestMeaning = 'wait' | 'smaller' | 'ours'

export interface ServerError {
	readonly type: string
	readonly reason: string
}

/** Types that say the same whatever the status. */
const rowTypes: Readonly<Record<string, RowMeaning>> = {
	version_conflict_engine_exception: 'duplicate',
	document_parsing_exception: 'permanent',
	mapper_parsing_exception: 'permanent',
	strict_dynamic_mapping_exception: 'permanent',
	circuit_breaking_exception: 'retry',
	cluster_block_exception: 'wait',
	index_closed_exception: 'wait',
	validation_exception: 'wait',
	unavailable_shards_exception: 'wait',
	process_cluster_event_timeout_exception: 'wait',
	no_shard_available_action_exception: 'wait',
	index_not_found_exception: 'wait',
	security_exception: 'ours',
	invalid_index_name_exception: 'ours',
	action_request_validation_exception: 'alone',
}

/** `illegal_argument_exception` of these is about what the row goes to, not about the document. */
const aboutTarget = /alias|pipeline|data stream|index name|op_type/i
const tooLargeForEver = /exceeds the maximum allowed limit/

export function meaningOfRow(status: number, error: ServerError | undefined): RowMeaning {
	if (!error) return status < 300 ? 'stored' : status === 409 ? 'duplicate' : status === 429 ? 'retry' : status >= 500 ? 'wait' : 'alone'
	const known = rowTypes[error.type]
	if (known !== undefined) return known
	if (error.type === 'es_rejected_execution_exception') return tooLargeForEver.test(error.reason) ? 'permanent' : 'retry'
	if (error.type === 'illegal_argument_exception') return aboutTarget.test(error.reason) ? 'ours' : 'alone'
	if (status === 429) return 'retry'
	return status >= 500 ? 'wait' : 'alone'
}

const pressure = /_operation_bytes=(\d+).*max_\w+_bytes=(\d+)/

/** Whether what was sent is larger than all the memory that the server has for such requests: it is for ever then. Otherwise it is only busy. */
export function neverFits({ type, reason }: ServerError): boolean {
	const [, operation = '0', limit = '0'] = (type === 'es_rejected_execution_exception' && pressure.exec(reason)) || []
	return Number(operation) > Number(limit)
}

/** Without rows in its answer. A part of it may be stored all the same. */
export function meaningOfRequest(status: number, error: ServerError | undefined): RequestMeaning {
	if (status === 413) return 'smaller'
	if (error?.type === 'es_rejected_execution_exception' || error?.type === 'circuit_breaking_exception') return 'smaller'
	if (error?.type === 'cluster_block_exception' || status === 429 || status >= 500) return 'wait'
	return 'ours'
}

/** Values that a reason repeats. */
const values = /Preview of field's value: '(?:[^'\\]|\\.)*'?|'[^']{24,}'?|"[^"]{24,}"?|\[[^\]]{80,}\]?/g

/** A reason as it may be shown: without the values it repeats, and cut. */
export function shownReason({ type, reason }: ServerError): string {
	const cut = reason.slice(0, elasticLimits.reasonCharacters * 4).replaceAll(values, '…')
	return `${type}: ${cut.slice(0, elasticLimits.reasonCharacters)}`
}

/** The error of an answer: none, a text, or an object, as 413, 405 and the rest have it. */
export function errorIn(text: string): ServerError | undefined {
	try {
		const { error } = JSON.parse(text) as { error?: unknown }
		if (typeof error === 'string') return { type: 'error', reason: error }
		return error === undefined ? undefined : serverError(error)
	} catch {
		return undefined // no JSON: a proxy's page, or nothing
	}
}

/** With the type of its cause; what the cause says repeats values. */
export function serverError(error: unknown): ServerError {
	const { type, reason, caused_by: cause } = error as { type?: string; reason?: string; caused_by?: { type?: string } }
	const because = cause?.type === undefined ? '' : ` (${cause.type})`
	return { type: type ?? 'error', reason: `${reason ?? ''}${because}` }
}
