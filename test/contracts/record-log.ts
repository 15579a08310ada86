// The promises of storage/log/port.ts as tests, for the engine that is handed in. What an engine cannot do is listed by its runner, with the reason.
import { afterEach, describe, expect, it } from 'vitest'
import { orderKey } from '#records/codec.ts'
import type { LogLine, Redacted } from '#records/record.ts'
import type { KubetapeError } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import { streams, type Batch, type RecordLog, type Stream } from '#storage/log/port.ts'
import { aCoverage, aLogLine, asRedacted, numberedRecord as numbered } from '#test/support/records.ts'

interface OpenedLog {
	readonly log: RecordLog
	/** Closes the log as a crash would, or orderly, and opens what it stored anew. */
	readonly reopen: () => Promise<RecordLog>
	readonly cleanup: () => Promise<void>
	/** Moves the engine's clock forward, for retention by age. */
	readonly advance: (ms: number) => void
	/** Damages the stored bytes of the last batch of `records`, partition 0, behind the engine's back. */
	readonly damageLast: () => void
}

type Promised =
	| 'durability'
	| 'order'
	| 'at least once'
	| 'independent groups'
	| 'delivery'
	| 'emptiness'
	| 'size limit'
	| 'damage'
	| 'retention'

interface Engine {
	readonly name: string
	open(options: { readonly partitions: number }): Promise<OpenedLog>
	readonly cannot?: Partial<Record<Promised, string>>
}

const numberOf = (record: Redacted): number =>
	record.kind === 'change' ? Number(record.revision) : record.kind === 'log' ? record.offset : -1

/** Reads until `count` records came; fails where the log has fewer for too long. */
async function readCount(log: RecordLog, group: string, count: number, wanted: readonly Stream[] = ['records']): Promise<Batch[]> {
	const signal = AbortSignal.timeout(60_000)
	const batches: Batch[] = []
	let seen = 0
	if (count === 0) return batches
	for await (const batch of log.read(group, wanted, signal)) {
		batches.push(batch)
		expect(batch.next.reduce((sum, { records }) => sum + records, 0)).toBe(batch.records.length)
		seen += batch.records.length
		if (seen >= count) return batches
	}
	throw new Error(`${seen} of ${count} records were delivered`)
}

const numbersIn = (batches: readonly Batch[]): number[] => batches.flatMap(({ records }) => records.map(numberOf))
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const codeOf = (promise: Promise<unknown>): Promise<string> =>
	promise.then(
		() => 'resolved',
		(error: KubetapeError) => error.code,
	)
const totalLag = async (log: RecordLog, group: string, wanted: readonly Stream[] = ['records']): Promise<bigint> =>
	(await log.lag(group, wanted)).reduce((sum, { records }) => sum + records, 0n)

export function recordLogContract(engine: Engine): void {
	const opened: OpenedLog[] = []
	const open = async (partitions = 1): Promise<OpenedLog> => {
		const log = await engine.open({ partitions })
		opened.push(log)
		return log
	}
	const promise = (name: Promised, what: string, run: () => Promise<void>): void => {
		const reason = engine.cannot?.[name]
		it(`${name}: ${reason === undefined ? what : `cannot, because ${reason}`}`, async () => {
			if (reason === undefined) await run()
			else expect(reason).not.toBe('')
		})
	}

	describe(`record log promises: ${engine.name}`, () => {
		afterEach(async () => {
			for (const each of opened.splice(0)) await each.cleanup()
		})

		promise('durability', 'what was acknowledged is there after a restart, whole', async () => {
			const { log, reopen } = await open()
			const line: LogLine = aLogLine({ text: 'ünïcode \u0000 line' })
			await log.append('records', [numbered(1), numbered(2)])
			await log.append('logs', [asRedacted(line)])
			const again = await reopen()
			expect(numbersIn(await readCount(again, 'g', 2))).toEqual([1, 2])
			const [batch] = await readCount(again, 'g', 1, ['logs'])
			expect(batch?.records).toEqual([line])
		})

		promise('order', 'records of one key, and a cluster of the ledger, are read as appended, over partitions', async () => {
			const { log } = await open(4)
			const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
			await Promise.all(range(1, 200).map((number) => log.append('records', [numbered(number, names[number % names.length])])))
			await Promise.all(range(1, 50).map((number) => log.append('ledger', [asRedacted(aCoverage({ fromRevision: BigInt(number) }))])))
			const records = (await readCount(log, 'g', 200)).flatMap((batch) => batch.records)
			const byKey = Map.groupBy(records, (record) => orderKey(record))
			expect(byKey.size).toBe(names.length)
			for (const list of byKey.values()) expect(list.map(numberOf)).toEqual(list.map(numberOf).toSorted((a, b) => a - b))
			expect(records.map(numberOf).toSorted((a, b) => a - b)).toEqual(range(1, 200))
			const ledger = (await readCount(log, 'g', 50, ['ledger'])).flatMap((batch) => batch.records)
			expect(ledger.map((record) => (record.kind === 'coverage' ? Number(record.fromRevision) : -1))).toEqual(range(1, 50))
		})

		promise('at least once', 'uncommitted records are read again; after a commit and a restart reading goes on there', async () => {
			const { log, reopen } = await open()
			for (const number of range(1, 3)) await log.append('records', [numbered(number)])
			const read = await readCount(log, 'g', 3)
			expect(numbersIn(read)).toEqual(range(1, 3))
			expect(numbersIn(await readCount(log, 'g', 3)), 'not committed').toEqual(range(1, 3))
			for (const number of range(4, 6)) await log.append('records', [numbered(number)])
			await log.commit(
				'g',
				read.flatMap(({ next }) => next),
			)
			expect(await totalLag(log, 'g')).toBe(3n)
			const again = await reopen()
			expect(numbersIn(await readCount(again, 'g', 3))).toEqual([4, 5, 6])
			await again.commit('g', [{ stream: 'records', partition: 0, offset: 1n }])
			expect(await totalLag(again, 'g'), 'a commit never goes back').toBe(3n)
			const beyond = { stream: 'records', partition: 0, offset: 7n } as const
			expect(await codeOf(again.commit('g', [beyond]))).toBe('LOG_POSITION_UNKNOWN')
		})

		promise('at least once', 'a position within an appended batch delivers the rest of it', async () => {
			const { log } = await open()
			await log.append(
				'records',
				range(1, 5).map((number) => numbered(number)),
			)
			await log.commit('g', [{ stream: 'records', partition: 0, offset: 2n }])
			expect(numbersIn(await readCount(log, 'g', 3))).toEqual([3, 4, 5])
		})

		promise('independent groups', 'what one group commits does not move another', async () => {
			const { log } = await open()
			await log.append(
				'records',
				range(1, 4).map((number) => numbered(number)),
			)
			const [batch] = await readCount(log, 'one', 4)
			await log.commit('one', batch?.next ?? [])
			expect(await totalLag(log, 'one')).toBe(0n)
			expect(await totalLag(log, 'two')).toBe(4n)
			expect(numbersIn(await readCount(log, 'two', 4))).toEqual([1, 2, 3, 4])
		})

		promise('delivery', 'an idle reader gets what is appended without asking again, and ends quietly on abort', async () => {
			const { log } = await open()
			await log.append('records', [numbered(1)])
			const stop = new AbortController()
			const got: number[] = []
			const reading = (async () => {
				for await (const batch of log.read('g', ['records', 'logs'], stop.signal)) {
					got.push(...numbersIn([batch]))
					// The reader has caught up: what follows reaches it while it waits.
					if (got.length === 1) void log.append('logs', [asRedacted(aLogLine({ offset: 2 }))])
					else if (got.length === 2) setTimeout(() => void log.append('records', [numbered(3)]), 40)
					else setTimeout(() => stop.abort(), 40)
				}
			})()
			await reading
			expect(got).toEqual([1, 2, 3])
		})

		promise('emptiness', 'an empty append resolves, an empty stream has lag 0 and reads nothing', async () => {
			const { log } = await open(2)
			await log.append('records', [])
			for (const stream of streams) expect(await totalLag(log, 'g', [stream])).toBe(0n)
			const seen: Batch[] = []
			for await (const batch of log.read('g', streams, AbortSignal.timeout(60))) seen.push(batch)
			expect(seen).toEqual([])
			await log.commit('g', [])
		})

		promise('size limit', 'a record beyond the limit is refused, and nothing of that append is stored', async () => {
			const { log } = await open()
			const huge = asRedacted(aLogLine({ text: 'x'.repeat(limits.recordBytesMax + 1) }))
			expect(await codeOf(log.append('logs', [asRedacted(aLogLine()), huge]))).toBe('STORAGE_TOO_LARGE')
			expect(await totalLag(log, 'g', ['logs'])).toBe(0n)
			await log.append('logs', [asRedacted(aLogLine({ offset: 7 }))])
			expect(numbersIn(await readCount(log, 'g', 1, ['logs']))).toEqual([7])
		})

		promise('damage', 'a damaged batch is not delivered: reading fails there, after what precedes it', async () => {
			const { log, damageLast } = await open()
			for (const number of range(1, 4)) await log.append('records', [numbered(number)])
			damageLast()
			const got: number[] = []
			const reading = (async () => {
				for await (const batch of log.read('g', ['records'], AbortSignal.timeout(60_000))) got.push(...numbersIn([batch]))
			})()
			const error = await reading.then(
				() => undefined,
				(thrown: KubetapeError) => thrown,
			)
			expect(error?.code).toBe('STORAGE_CORRUPT')
			expect(error?.message).toMatch(/records.*3/)
			expect(got).toEqual([1, 2, 3])
		})

		promise('retention', 'nothing newer than the policy goes; the first offset moves up', async () => {
			const { log, advance } = await open()
			for (const number of range(1, 3)) await log.append('records', [numbered(number)])
			advance(60_000)
			for (const number of range(4, 5)) await log.append('records', [numbered(number)])
			const batches = await readCount(log, 'g', 5)
			await log.commit(
				'g',
				batches.flatMap((batch) => batch.next),
			)
			expect(await log.retain({ ageMs: 0, bytesMax: 0 }), 'zero keeps all').toEqual({ removedRecords: 0n })
			expect(await log.retain({ ageMs: 120_000, bytesMax: 0 })).toEqual({ removedRecords: 0n })
			expect(await log.retain({ ageMs: 30_000, bytesMax: 0 })).toEqual({ removedRecords: 3n })
			expect(numbersIn(await readCount(log, 'late', 2))).toEqual([4, 5])
			expect(await totalLag(log, 'late')).toBe(2n)
			expect(await totalLag(log, 'g')).toBe(0n)
		})
	})
}
