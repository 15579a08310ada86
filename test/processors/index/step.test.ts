// The indexer against a log and a store of this test: a bad record stops nobody, and nothing is committed before it is stored.
import { describe, expect, it } from 'vitest'
import { createIndexer } from '#processors/index/step.ts'
import type { Indexed } from '#records/indexed.ts'
import { Body } from '#records/body.ts'
import type { Redacted } from '#records/record.ts'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'
import type { RecordLog } from '#storage/log/port.ts'
import type { Item, Store } from '#storage/store/port.ts'
import { eventually } from '#test/support/program.ts'
import { aChange, aClusterEvent, aLogLine, asRedacted, numberedRecord, testBegin } from '#test/support/records.ts'

/** Sleeps are over at once, in a turn of their own. */
const clock: Clock = { nowMicros: () => 1_000_000, sleep: () => new Promise((resolve) => setImmediate(resolve)) }

const { id, file, offset, namespace, pod, podUid, container, component, restart, stream, level, flags, ...line } = aLogLine({
	occurredAt: testBegin + 1,
})
const place = { file, offset, namespace, pod, podUid, container, component, restart, stream, level, flags, node: 'n1' }
const storedLine: Item = { ...line, id, summary: line.text, severity: 'normal', log: place }

/** One batch, then the end. `failures` puts fail before the first that works. */
function world(records: readonly Redacted[], failures: readonly Error[] = [], more: Partial<Store> = {}, commitFailures: Error[] = []) {
	const order: string[] = []
	const rejects: Redacted[] = []
	const stored: Indexed[] = []
	const pauses: (string | null)[] = []
	const left = [...failures]
	let batches: readonly (readonly [records: readonly Redacted[], given?: number | undefined, end?: bigint])[] = [[records]]
	const next = { stream: 'records', partition: 0, offset: BigInt(records.length) } as const
	const log: Pick<RecordLog, 'append' | 'read' | 'commit' | 'lag'> = {
		append: async (_stream, given) => void rejects.push(...given),
		read: async function* () {
			for (const [given, number, end = next.offset] of batches)
				yield {
					records: given,
					next: [{ ...next, offset: end, records: given.length }],
					...(number === undefined ? {} : { given: number }),
				}
		},
		commit: async (_group, positions) => {
			const failure = commitFailures.shift()
			order.push(failure ? 'commit failed' : `commit ${positions[0]?.offset}`)
			if (failure) throw failure
		},
		lag: async () => [],
	}
	const store: Pick<Store, 'put' | 'clusters' | 'show'> = {
		clusters: async () => [],
		show: async () => undefined,
		put: async (given) => {
			const failure = left.shift()
			order.push(failure ? 'failed' : 'put')
			if (failure) throw failure
			stored.push(...given)
			return { stored: given.length, duplicates: 0 }
		},
	}
	const indexer = createIndexer({
		store: { ...store, ...more } as Store,
		log: log as RecordLog,
		group: 'store',
		clock,
		metrics: createMetrics(),
		logger: silentLogger,
		onPause: (reason) => pauses.push(reason),
	})
	const run = (): Promise<void> => indexer.run(new AbortController().signal)
	const runOn = (others: typeof batches): Promise<void> => {
		batches = others
		return run()
	}
	return { run, runOn, order, rejects, stored, pauses }
}

describe('the indexer', () => {
	it('waits where the disk of the record log is full, and commits without storing again', async () => {
		const made = world([numberedRecord(0)], [], {}, [new KubetapeError('STORAGE_DISK_FULL', 'full')])
		await made.run()
		expect(made.order).toEqual(['put', 'commit failed', 'commit 1'])
		expect(made.pauses).toEqual(['STORAGE_DISK_FULL: full', null])
	})

	it('does not repeat a commit that fails for another reason: the partition may be another member’s', async () => {
		const made = world([numberedRecord(0)], [], {}, [new KubetapeError('STORAGE_UNAVAILABLE', 'moved')])
		await expect(made.run()).rejects.toThrow('moved')
		expect(made.order).toEqual(['put', 'commit failed'])
	})

	it('stores, then commits', async () => {
		const made = world([numberedRecord(1), numberedRecord(2)])
		await made.run()
		expect(made.order).toEqual(['put', 'commit 2'])
		expect(made.stored.map((indexed) => indexed.record.kind === 'change' && indexed.record.revision)).toEqual([1n, 2n])
	})

	it('remembers nothing of objects once partitions were given out anew: another process may have read on', async () => {
		const regarding = {
			resource: 'pods',
			group: '',
			namespace: 'shop',
			name: 'web-0',
			kind: 'Pod',
			uid: 'uid-web-0',
			revision: 100n,
			fieldPath: '',
		}
		const about = asRedacted(aClusterEvent({ revision: 101n, regarding }))
		const created = asRedacted(aChange({ operation: 'created', before: null, beforeRevision: null, revision: 100n, uid: 'uid-web-0' }))
		const read = async (second: number): Promise<number> => {
			let lookups = 0
			const made = world([], [], {
				history: async () => {
					lookups += 1
					return { items: [], next: null }
				},
				versionAt: async () => undefined,
			})
			await made.runOn([
				[[created, about], 1],
				[[about], second],
			])
			return lookups
		}
		expect([await read(1), (await read(2)) > 0]).toEqual([0, true])
	})

	it('tells lines that were there before their Pod anew, between storing it and the commit, also those that nobody sees yet', async () => {
		let isShown = false
		const made: ReturnType<typeof world> = world(
			[asRedacted(aChange({ after: Body.ofValue({ metadata: { labels: { app: 'web' } } }) }))],
			[],
			{
				clusters: async () => [{ name: 'test', firstAt: 0, lastAt: 0, counts: { log: 1 }, spaces: [] }],
				history: async () => ({ items: [], next: null }),
				versionAt: async () => undefined,
				show: async () => void (isShown = made.order.includes('put')),
				timeline: async () => ({ items: isShown ? [storedLine] : [], next: null }),
				amend: async (cluster, [amendment]) => void made.order.push(`amend ${cluster} ${amendment?.id} ${amendment?.labels['app']}`),
			},
		)
		await made.run()
		expect(made.order).toEqual(['put', `amend test ${storedLine.id} web`, 'commit 1'])
	})

	it('sets a bad record aside and goes on with the others', async () => {
		const poison = asRedacted(aChange({ revision: 2n, after: Body.ofText('{no json') }))
		const made = world([numberedRecord(1), poison, numberedRecord(3)])
		await made.run()
		expect(made.stored.length).toBe(2)
		expect(made.rejects).toMatchObject([{ kind: 'reject', step: 'describe', where: `change ${poison.id}` }])
		expect(made.order).toEqual(['put', 'commit 3'])
	})

	it('pauses while the store cannot take records, and says so', async () => {
		const made = world(
			[numberedRecord(1)],
			[new KubetapeError('STORAGE_UNAVAILABLE', 'away'), new KubetapeError('STORAGE_UNAVAILABLE', 'away')],
		)
		await made.run()
		expect(made.order).toEqual(['failed', 'failed', 'put', 'commit 1'])
		expect(made.pauses.at(-1)).toBeNull()
		expect(made.pauses[0]).toContain('STORAGE_UNAVAILABLE')
	})

	it('ends without a commit where trying again cannot help', async () => {
		const made = world([numberedRecord(1)], [new KubetapeError('STORAGE_CORRUPT', 'broken')])
		await expect(made.run()).rejects.toThrow('broken')
		expect(made.order).toEqual(['failed'])
	})

	it('makes the next batch ready while one is being stored, and commits them in order', async () => {
		const ends: PromiseWithResolvers<void>[] = []
		const made: ReturnType<typeof world> = world([], [], {
			put: async (given) => {
				const end = Promise.withResolvers<void>()
				const name = given.map(({ record }) => (record.kind === 'change' ? record.revision : 0n)).join()
				made.order.push(`put ${name}`)
				ends.push(end)
				await end.promise
				made.order.push(`stored ${name}`)
				return { stored: given.length, duplicates: 0 }
			},
		})
		const running = made.runOn([1, 2, 3].map((n) => [[numberedRecord(n)], undefined, BigInt(n)]))
		const begun = (puts: number) =>
			eventually(
				() => Promise.resolve(ends.length),
				(count) => count === puts,
			)
		await begun(2)
		ends[1]?.resolve()
		await eventually(
			() => Promise.resolve(made.order.length),
			(length) => length === 3,
		)
		expect(made.order).toEqual(['put 1', 'put 2', 'stored 2'])
		ends[0]?.resolve()
		await begun(3)
		ends[2]?.resolve()
		await running
		expect(made.order.slice(3)).toEqual(['stored 1', 'commit 1', 'put 3', 'commit 2', 'stored 3', 'commit 3'])
	})

	it('puts again what failed for now, and commits nothing behind it before', async () => {
		const made = world([], [new KubetapeError('STORAGE_UNAVAILABLE', 'away')])
		await made.runOn([1, 2].map((n) => [[numberedRecord(n)], undefined, BigInt(n)]))
		expect(made.order.toSorted()).toEqual(['commit 1', 'commit 2', 'failed', 'put', 'put'])
		expect(made.order.slice(-2)).toEqual(['commit 1', 'commit 2'])
		expect(new Set(made.stored.map(({ record }) => record.kind === 'change' && record.revision))).toEqual(new Set([1n, 2n]))
		expect(made.pauses.at(-1)).toBeNull()
	})

	it('commits nothing behind what failed for good', async () => {
		const made = world([], [new KubetapeError('STORAGE_CORRUPT', 'broken')])
		await expect(made.runOn([1, 2].map((n) => [[numberedRecord(n)], undefined, BigInt(n)]))).rejects.toThrow('broken')
		expect(made.order.filter((what) => what.startsWith('commit'))).toEqual([])
	})

	it('goes on reading until what was read is committed, where it is to end', async () => {
		const stop = new AbortController()
		const stored = Promise.withResolvers<void>()
		const order: string[] = []
		const log: Pick<RecordLog, 'read' | 'commit' | 'lag'> = {
			read: async function* (_group, _streams, signal) {
				yield {
					records: [numberedRecord(1)],
					next: [{ stream: 'records', partition: 0, offset: 1n, records: 1 }],
				}
				if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
				order.push('read to the end')
			},
			commit: async () => void order.push('commit'),
			lag: async () => [],
		}
		const store: Pick<Store, 'put' | 'clusters' | 'show'> = {
			clusters: async () => [],
			show: async () => undefined,
			put: async () => {
				order.push('put')
				await stored.promise
				return { stored: 1, duplicates: 0 }
			},
		}
		const running = createIndexer({
			store: store as Store,
			log: log as RecordLog,
			group: 'store',
			clock: systemClock,
			metrics: createMetrics(),
			logger: silentLogger,
		}).run(stop.signal)
		await eventually(
			() => Promise.resolve(order.length),
			(length) => length === 1,
		)
		stop.abort()
		stored.resolve()
		await running
		expect(order).toEqual(['put', 'commit', 'read to the end'])
	})

	it('tells the lag also while nothing comes', async () => {
		const metrics = createMetrics()
		const stop = new AbortController()
		const wakes: (() => void)[] = []
		const lags = [7n, 0n]
		const log: Pick<RecordLog, 'read' | 'lag'> = {
			read: async function* (_group, _streams, signal) {
				await new Promise((resolve) => {
					signal.addEventListener('abort', resolve)
				})
				yield* []
			},
			lag: async () => [{ stream: 'records', partition: 0, records: lags.shift() ?? 0n, next: 0n }],
		}
		const manual: Clock = {
			nowMicros: () => 1_000_000,
			sleep: (_ms, signal) =>
				new Promise((resolve) => {
					wakes.push(resolve)
					signal?.addEventListener('abort', () => resolve())
				}),
		}
		const told = async (): Promise<number | undefined> =>
			(await metrics.registry.getMetricsAsJSON()).find(({ name }) => name === 'kubetape_process_lag_records')?.values[0]?.value
		const running = createIndexer({
			store: {} as Store,
			log: log as RecordLog,
			group: 'store',
			clock: manual,
			metrics,
			logger: silentLogger,
		}).run(stop.signal)
		expect(await eventually(told, (value) => value !== undefined)).toBe(7)
		wakes.shift()?.()
		expect(await eventually(told, (value) => value !== 7)).toBe(0)
		stop.abort()
		await running
	})
})
