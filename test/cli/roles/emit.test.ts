// What collectors emit: in order, what waits goes together, counted when it is durable, and nothing behind a failure.
import { describe, expect, it } from 'vitest'
import { createEmit } from '#cli/roles/emit.ts'
import type { KubetapeRecord, Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics, type Metrics } from '#runtime/metrics.ts'
import type { RecordLog, Stream } from '#storage/log/port.ts'
import { numberedRecord } from '#test/support/records.ts'

interface Append {
	readonly stream: Stream
	readonly ids: readonly string[]
	readonly done: PromiseWithResolvers<void>
}

function start(): { emit: ReturnType<typeof createEmit>; appends: Append[]; metrics: Metrics } {
	const appends: Append[] = []
	const append = (stream: Stream, records: readonly Redacted[]): Promise<void> => {
		const done = Promise.withResolvers<void>()
		appends.push({ stream, ids: records.map(({ id }) => id), done })
		return done.promise
	}
	const metrics = createMetrics()
	const options = {
		log: { append } as RecordLog,
		redact: (record: KubetapeRecord) => ({ ok: record as Redacted }),
		clock: systemClock,
		logger: silentLogger,
		metrics,
		onPause: () => undefined,
	}
	return { emit: createEmit(options, new AbortController().signal), appends, metrics }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const record = (number: number): KubetapeRecord => numberedRecord(number)
const many = (first: number, count: number): KubetapeRecord[] => Array.from({ length: count }, (_, index) => record(first + index))

async function counted(metrics: Metrics): Promise<number> {
	const json = await metrics.registry.getMetricsAsJSON()
	return json.find(({ name }) => name === 'kubetape_collect_records_total')?.values.reduce((sum, { value }) => sum + value, 0) ?? 0
}

describe('emit', () => {
	it('appends what came meanwhile together, in the order of the calls, and counts what is durable', async () => {
		const { emit, appends, metrics } = start()
		const all = [emit([record(1)]), emit([record(2), record(3)]), emit([record(4)])]
		await turn()
		expect(appends.map(({ ids }) => ids)).toEqual([[record(1).id]])
		expect(await counted(metrics)).toBe(0)
		appends[0]?.done.resolve()
		await all[0]
		expect(await counted(metrics)).toBe(1)
		await turn()
		expect(appends[1]?.ids).toEqual([2, 3, 4].map((number) => record(number).id))
		appends[1]?.done.resolve()
		await Promise.all(all)
		expect(await counted(metrics)).toBe(4)
	})

	it('puts no more together than a batch holds', async () => {
		const { emit, appends } = start()
		const all = [emit([record(1)]), emit(many(10, 300)), emit(many(2000, 300)), emit(many(5000, 3000)), emit([record(9000)])]
		for (let index = 0; index < 5; index += 1) {
			await turn()
			appends[index]?.done.resolve()
		}
		await Promise.all(all)
		expect(appends.map(({ ids }) => ids.length)).toEqual([1, 300, 300, 3000, 1])
	})

	it('appends nothing behind what failed', async () => {
		const { emit, appends } = start()
		const all = [emit([record(1)]), emit([record(2)])]
		const ends = Promise.allSettled(all)
		await turn()
		appends[0]?.done.reject(new KubetapeError('STORAGE_TOO_LARGE', 'too large'))
		expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
		await expect(emit([record(3)])).rejects.toMatchObject({ code: 'STORAGE_TOO_LARGE' })
		expect(appends).toHaveLength(1)
	})
})
