// The bulk loop: lines are sent in requests of measured size, some together; each row's answer is looked at, and what was refused for now is sent again. Only `create` with ids of our own makes that safe.
import type { Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import type { Answer, Connection } from './client.ts'
import { errorIn, meaningOfRequest, meaningOfRow, neverFits, serverError, shownReason, type ServerError } from './classify.ts'
import type { Line } from './document.ts'
import { elasticLimits } from './limits.ts'
import { Pace } from './pace.ts'

/** What became of a line. `refused`: never to be taken as it is, and why. */
export type Outcome = 'stored' | 'duplicate' | { readonly refused: ServerError }

interface Row {
	readonly line: Line
	readonly place: number
	/** Sent alone, so that its refusal is its own. */
	alone: boolean
	/** It was sent and no answer came: it may be stored. */
	unknown: boolean
	tries: number
}

interface AnsweredRow {
	readonly status: number
	readonly error?: unknown
}

export const bytesOf = (lines: readonly Line[]): number => lines.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)

/** Asked for: without it a thousand conflicts take 300 kB. */
const filterPath = 'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.type'

export interface BulkOptions {
	readonly connection: Connection
	readonly clock: Clock
	readonly onRequest?: (result: 'taken' | 'partly' | 'refused' | 'unanswered', bytes: number) => void
}

export class Bulk {
	readonly #options: BulkOptions
	readonly #waiting: (() => void)[] = []
	#underWay = 0
	readonly pace = new Pace()

	constructor(options: BulkOptions) {
		this.#options = options
	}

	/**
	 * The outcome of each line, in their order. `bytesTogether`: of all that is sent at the same time, which goes in as many requests as may be under way. Rejects with STORAGE_UNAVAILABLE,
	 * STORAGE_BUSY or STORAGE_DISK_FULL (try again: what was stored is a duplicate then) where the server takes nothing for longer than some tries, and with INTERNAL where the request itself is wrong.
	 */
	async send(lines: readonly Line[], bytesTogether = bytesOf(lines)): Promise<readonly Outcome[]> {
		const outcomes: Outcome[] = []
		const waiting: Row[] = lines.map((line, place) => ({ line, place, alone: false, unknown: false, tries: 0 }))
		waiting.reverse()
		const bytesMax = this.#requestBytes(bytesOf(lines), bytesTogether)
		const stop = new AbortController()
		const worker = async (): Promise<void> => {
			const backoff = createBackoff({ clock: this.#options.clock, firstMs: elasticLimits.retryFirstMs, maxMs: elasticLimits.retryMaxMs })
			const next = async (): Promise<readonly Row[] | undefined> => {
				const rows = stop.signal.aborted ? [] : this.#take(waiting, Math.min(this.pace.bytes, bytesMax))
				return rows.length === 0 ? undefined : this.#request(rows, outcomes)
			}
			try {
				for (let again = await this.#inSlot(next); again; again = await this.#inSlot(next)) {
					waiting.push(...again.toReversed())
					if (again.some(({ alone }) => !alone)) await backoff.wait(stop.signal)
					else backoff.reset()
				}
			} catch (error) {
				stop.abort()
				throw error
			}
		}
		while (waiting.length > 0 && !stop.signal.aborted) {
			const ended = await Promise.allSettled(Array.from({ length: this.pace.together }, worker))
			const failed = ended.find((each) => each.status === 'rejected')
			if (failed) throw failed.reason
		}
		return outcomes
	}

	/** Parts of one size, that are no smaller than their share of all that is sent together. */
	#requestBytes(bytes: number, bytesTogether: number): number {
		const share = Math.max(elasticLimits.bulkBytesMin, bytesTogether / this.pace.together)
		const parts = Math.max(1, Math.ceil(bytes / Math.min(this.pace.bytes, share)))
		return Math.ceil((bytes / parts) * elasticLimits.bulkShareSlack)
	}

	/** As many requests are under way as the pace says, whatever they are part of. */
	async #inSlot<T>(work: () => Promise<T>): Promise<T> {
		while (this.#underWay >= this.pace.together) await new Promise<void>((resolve) => this.#waiting.push(resolve))
		this.#underWay += 1
		try {
			return await work()
		} finally {
			this.#underWay -= 1
			for (const wake of this.#waiting.splice(0, this.pace.together - this.#underWay)) wake()
		}
	}

	/** From the end: rows are kept in reverse, so that taking them costs nothing. */
	#take(waiting: Row[], bytesMax: number): Row[] {
		const rows: Row[] = []
		for (let bytes = 0; ;) {
			const next = waiting.at(-1)
			if (!next || (rows.length > 0 && (next.alone || bytes + next.line.bytes.byteLength > bytesMax))) return rows
			rows.push(next)
			waiting.pop()
			bytes += next.line.bytes.byteLength
			if (next.alone) return rows
		}
	}

	/** Sends these rows; gives those to be sent again. */
	async #request(rows: readonly Row[], outcomes: Outcome[]): Promise<readonly Row[]> {
		const body = Buffer.concat(rows.map(({ line }) => line.bytes))
		const told = (result: 'taken' | 'partly' | 'refused' | 'unanswered'): void => this.#options.onRequest?.(result, body.byteLength)
		let answer: Answer
		try {
			answer = await this.#options.connection.ask({ method: 'POST', path: '/_bulk', query: { filter_path: filterPath }, body })
		} catch (error) {
			if (!(error instanceof KubetapeError) || !error.retryable) throw error
			told('unanswered')
			for (const row of rows) row.unknown = true
			return this.#later(rows, { type: 'no answer', reason: error.message })
		}
		if (answer.status !== 200) {
			told('refused')
			return this.#refusedWhole(rows, answer, body.byteLength, outcomes)
		}
		const parsed = JSON.parse(answer.text) as { errors: boolean; items: readonly Readonly<Record<string, AnsweredRow>>[] }
		const again = this.#eachRow(rows, parsed.items, outcomes)
		const held = again.some(({ alone }) => !alone)
		told(parsed.errors ? 'partly' : 'taken')
		if (held) this.pace.refused(body.byteLength)
		else this.pace.wentWell(body.byteLength * 2 > this.pace.bytes)
		return again
	}

	#eachRow(rows: readonly Row[], items: readonly Readonly<Record<string, AnsweredRow>>[], outcomes: Outcome[]): readonly Row[] {
		if (items.length !== rows.length)
			throw new KubetapeError('INTERNAL', `a bulk request of ${rows.length} rows got ${items.length} answers`)
		const again: Row[] = []
		for (const [index, row] of rows.entries()) {
			const answered = Object.values(items[index] ?? {})[0]
			const error = answered?.error === undefined ? undefined : serverError(answered.error)
			const meaning = meaningOfRow(answered?.status ?? 500, error)
			if (meaning === 'stored') outcomes[row.place] = 'stored'
			// It was sent before and nobody knew what became of it: it is this one.
			else if (meaning === 'duplicate') outcomes[row.place] = row.unknown ? 'stored' : 'duplicate'
			else if (meaning === 'permanent' || (rows.length === 1 && (meaning === 'alone' || (error && neverFits(error)))))
				outcomes[row.place] = { refused: error ?? { type: 'error', reason: `HTTP ${answered?.status}` } }
			else if (meaning === 'ours')
				throw new KubetapeError(
					'INTERNAL',
					`Elasticsearch refuses ${row.line.index}: ${shownReason(error ?? { type: 'error', reason: '' })}`,
				)
			else if (meaning === 'alone') {
				row.alone = true
				again.push(row)
			} else again.push(...this.#later([row], error ?? { type: 'error', reason: `HTTP ${answered?.status}` }))
		}
		return again
	}

	#refusedWhole(rows: readonly Row[], answer: Answer, bytes: number, outcomes: Outcome[]): readonly Row[] {
		const error = errorIn(answer.text) ?? { type: `HTTP ${answer.status}`, reason: '' }
		const meaning = meaningOfRequest(answer.status, error)
		if (meaning === 'ours') throw new KubetapeError('INTERNAL', `Elasticsearch refuses a bulk request: ${shownReason(error)}`)
		if (meaning === 'wait') return this.#later(rows, error)
		this.pace.refused(bytes)
		const [only] = rows
		if (rows.length > 1 || !only) return answer.status === 413 ? rows : this.#later(rows, error)
		if (answer.status !== 413 && !neverFits(error)) return this.#later(rows, error)
		outcomes[only.place] = { refused: error }
		return []
	}

	/** To be tried again, unless they were too often. */
	#later(rows: readonly Row[], error: ServerError): readonly Row[] {
		for (const row of rows) {
			row.tries += 1
			if (row.tries > elasticLimits.triesMax) throw waitingError(row.line.index, error)
		}
		return rows
	}
}

const floodStage = /flood.stage|read-only-allow-delete/
const blocked = /index write \(api\)|index read-only|cluster read-only|FORBIDDEN/

/** Says who must act, where somebody must. */
function waitingError(index: string, error: ServerError): KubetapeError {
	const what = shownReason(error)
	if (floodStage.test(error.reason))
		return new KubetapeError(
			'STORAGE_DISK_FULL',
			`Elasticsearch takes no writes into ${index}: its disks are full; free space, and it goes on by itself (${what})`,
		)
	if (error.type === 'es_rejected_execution_exception' || error.type === 'circuit_breaking_exception')
		return new KubetapeError('STORAGE_BUSY', `Elasticsearch has more to do than it takes (${what})`)
	const act =
		error.type === 'cluster_block_exception' && blocked.test(error.reason)
			? ': somebody set a write block; remove it'
			: error.type === 'validation_exception'
				? ': raise cluster.max_shards_per_node, or keep fewer days'
				: error.type === 'index_closed_exception'
					? ': open the index again'
					: ''
	return new KubetapeError('STORAGE_UNAVAILABLE', `Elasticsearch takes no writes into ${index}${act} (${what})`)
}
