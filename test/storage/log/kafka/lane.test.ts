// A lane: one batch at a time, in order, and the identical one again until it is acknowledged.
import type { Message } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { Lane } from '#storage/log/kafka/lane.ts'
import type { Piece } from '#storage/log/kafka/messages.ts'
import type { Handle } from '#storage/log/kafka/producers.ts'

const failure = (type: string): Error => Object.assign(new Error(type), { type })
const piece = (...keys: readonly string[]): Piece => ({
	partition: 0,
	messages: keys.map((key) => ({ key, value: Buffer.from(key), partition: 0 })),
	bytes: keys.length,
})

/** Producers whose answers are given by `answer`, for each send in turn. */
function laneOn(answer: (keys: readonly string[], send: number, producer: number) => Promise<void>, batchBytesMax = 10) {
	const sends: string[][] = []
	const given: (readonly Message[])[] = []
	let producer = 1
	let outstanding = 0
	const handleOf = (number: number): Handle => ({
		async send(_topic, _partition, messages) {
			expect(++outstanding, 'sends outstanding').toBe(1)
			const keys = messages.map(({ key }) => String(key))
			sends.push(keys)
			given.push(messages)
			try {
				await answer(keys, sends.length, number)
			} finally {
				outstanding -= 1
			}
		},
	})
	let handle = handleOf(producer)
	const closed = new AbortController()
	const retries: string[] = []
	const lane = new Lane({
		topic: 't',
		partition: 0,
		batchBytesMax,
		producers: { current: async () => handle, renew: async () => (handle = handleOf(++producer)) },
		clock: { ...systemClock, sleep: () => Promise.resolve() },
		log: silentLogger,
		closed: closed.signal,
		onRetry: (reason) => retries.push(reason),
	})
	return { lane, sends, given, retries, closed }
}

describe('a lane', () => {
	it('sends what waits together, in order, one batch at a time', async () => {
		const { lane, sends } = laneOn(() => new Promise((resolve) => setImmediate(resolve)), 4)
		const order: number[] = []
		await Promise.all(Array.from({ length: 9 }, (_, number) => lane.push(piece(String(number))).then(() => order.push(number))))
		expect(sends).toEqual([['0', '1', '2', '3'], ['4', '5', '6', '7'], ['8']])
		expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
	})

	it('sends the identical batch again, whatever has come to wait meanwhile', async () => {
		const { lane, given, retries } = laneOn(async (_keys, send) => {
			if (send < 3) {
				void lane.push(piece(`later ${send}`))
				throw failure('NOT_LEADER_FOR_PARTITION')
			}
		})
		await lane.push(piece('a', 'b'))
		expect(given.slice(0, 3).map((messages) => messages.map(({ key }) => key))).toEqual([
			['a', 'b'],
			['a', 'b'],
			['a', 'b'],
		])
		expect(given[1]).toBe(given[0])
		expect(given[2]).toBe(given[0])
		expect(retries).toEqual(['again', 'again'])
	})

	it('goes to a new producer where the brokers do not know its sequence, and only there', async () => {
		const producers: number[] = []
		const { lane } = laneOn(async (_keys, send, producer) => {
			producers.push(producer)
			if (send === 1) throw failure('REQUEST_TIMED_OUT')
			if (send === 2) throw failure('OUT_OF_ORDER_SEQUENCE_NUMBER')
		})
		await lane.push(piece('a'))
		expect(producers).toEqual([1, 1, 2])
	})

	it('sends each part by itself where the brokers refuse the batch, and refuses what they do not take even so', async () => {
		const { lane, sends } = laneOn(async (keys) => {
			if (keys.length > 1 || keys[0] === 'huge') throw failure('MESSAGE_TOO_LARGE')
		})
		const ends = await Promise.allSettled(['a', 'huge', 'b'].map((key) => lane.push(piece(key))))
		expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
		expect(ends[1]).toMatchObject({ reason: { code: 'STORAGE_TOO_LARGE' } })
		expect(sends).toEqual([['a', 'huge', 'b'], ['a'], ['huge'], ['b']])
	})

	it('ends at once with what an operator must change, and goes on with what comes after', async () => {
		const { lane } = laneOn(async (_keys, send) => {
			if (send === 1) throw failure('TOPIC_AUTHORIZATION_FAILED')
		})
		await expect(lane.push(piece('a'))).rejects.toMatchObject({ code: 'KAFKA_AUTH' })
		await lane.push(piece('b'))
	})

	it('rejects what waits when it is closed, also while an answer is out', async () => {
		const { lane, closed } = laneOn(() => new Promise(() => undefined))
		const waiting = [lane.push(piece('a')), lane.push(piece('b'))]
		await new Promise((resolve) => setImmediate(resolve))
		closed.abort()
		for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected')
	})
})
