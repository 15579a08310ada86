// Faults of Kafka: who appends under them, who reads everything afterwards, and what is counted.
import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Redacted } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { openKafkaLog, type KafkaLogOptions, type Loss } from '#storage/log/kafka/log.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { eventually } from '#test/support/program.ts'
import { numberedRecord } from '#test/support/records.ts'

export const pause = (ms: number): Promise<void> => systemClock.sleep(ms)

/** Numbers are given in blocks of this to each object, so that a record's number tells its object. */
export const perObject = 10_000_000
export const objectOf = (number: number): string => `object-${Math.floor(number / perObject)}`
export const numberOf = (record: Redacted): number => (record.kind === 'change' ? Number(record.revision) : -1)

export interface Appending {
	/** Numbers whose append has resolved. */
	readonly acknowledged: Set<number>
	/** Appends that rejected, and were made again. */
	readonly rejected: () => number
	/** Resolves when what was begun is acknowledged. */
	stop(): Promise<void>
}

/** Objects that are written to without pause, each by itself and in order, as collectors do: what is rejected and may be tried again is tried again. */
export function startAppending(log: RecordLog, random: () => number, objects = 8): Appending {
	const acknowledged = new Set<number>()
	const stop = new AbortController()
	let rejected = 0
	const write = async (object: number): Promise<void> => {
		let next = object * perObject
		while (!stop.signal.aborted) {
			const numbers = Array.from({ length: 10 + Math.floor(random() * 40) }, () => next++)
			const records = numbers.map((number) => numberedRecord(number, objectOf(number)))
			for (;;) {
				try {
					await log.append('records', records)
					break
				} catch (error) {
					if (!(error instanceof KubetapeError) || !error.retryable) throw error
					rejected += 1
					await pause(50)
				}
			}
			for (const number of numbers) acknowledged.add(number)
			await pause(5)
		}
	}
	const running = Promise.all(Array.from({ length: objects }, (_, object) => write(object)))
	running.catch(() => undefined) // told by stop
	return {
		acknowledged,
		rejected: () => rejected,
		async stop() {
			stop.abort()
			await running
		},
	}
}

/** Everything that is stored, what waits in a spool first, in the order in which it is read, by a group that has read nothing. A member that begins anew may read some of it again. */
export async function readEverything(options: KafkaLogOptions): Promise<readonly number[]> {
	const losses: Loss[] = []
	await using log = await openKafkaLog({ ...options, onLoss: (loss) => void losses.push(loss) })
	await eventually(
		async () => readdirSync(join(options.dir, 'spool')),
		(waiting) => waiting.length === 0,
		120_000,
	)
	const group = `verify-${randomUUID()}`
	const numbers: number[] = []
	const left = async (): Promise<bigint> => (await log.lag(group, ['records'])).reduce((sum, { records }) => sum + records, 0n)
	const total = await left()
	for await (const { records, next } of log.read(group, ['records'], AbortSignal.timeout(240_000))) {
		numbers.push(...records.map(numberOf))
		await log.commit(group, next)
		if (BigInt(numbers.length) >= total && (await left()) === 0n) break
	}
	expect(losses).toEqual([])
	expect(await left()).toBe(0n)
	return numbers
}

export interface Count {
	readonly acknowledged: number
	readonly stored: number
	/** Acknowledged and not stored. */
	readonly lost: number
	/** Stored more than once; ids make it harmless. */
	readonly doubled: number
	/** First sights of an object's records that come after a later one of it. */
	readonly disordered: number
}

export function count(acknowledged: ReadonlySet<number>, stored: readonly number[]): Count {
	const seen = new Set<number>()
	const last = new Map<string, number>()
	let disordered = 0
	for (const number of stored) {
		if (seen.has(number)) continue
		seen.add(number)
		const object = objectOf(number)
		if (number < (last.get(object) ?? -1)) disordered += 1
		else last.set(object, number)
	}
	const lost = [...acknowledged].filter((number) => !seen.has(number)).length
	return { acknowledged: acknowledged.size, stored: stored.length, lost, doubled: stored.length - seen.size, disordered }
}
