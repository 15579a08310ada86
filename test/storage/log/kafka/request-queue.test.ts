// kafkajs's queue of requests of one connection: no timer while nothing waits in it; what waits for the end of a throttle is sent then.
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import '#storage/log/kafka/client.ts'

interface Queue {
	throttledUntil: number
	readonly throttleCheckTimeoutId: unknown
	checkPendingRequests(): void
	push(request: object): void
	destroy(): void
}
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (options: object) => Queue

const queueOf = (): Queue =>
	new RequestQueue({
		maxInFlightRequests: null,
		requestTimeout: 60_000,
		enforceRequestTimeout: false,
		clientId: 'test',
		broker: 'broker:9092',
		logger: { debug: () => undefined },
	})

it('nothing waits: there is no timer', () => {
	const queue = queueOf()
	queue.checkPendingRequests()
	expect(queue.throttleCheckTimeoutId).toBeNull()
	queue.destroy()
})

it('what waits for the end of a throttle is sent, and then there is no timer any more', async () => {
	const queue = queueOf()
	queue.throttledUntil = Date.now() + 200
	let isSent = false
	const sent = new Promise<void>((resolve) => {
		const entry = { correlationId: 1, apiKey: 3, apiVersion: 0, apiName: 'Metadata', resolve: () => undefined, reject: () => undefined }
		const sendRequest = (): void => {
			isSent = true
			resolve()
		}
		queue.push({ entry, expectResponse: true, sendRequest })
	})
	expect(isSent).toBe(false)
	expect(queue.throttleCheckTimeoutId).not.toBeNull()
	await sent
	expect(queue.throttleCheckTimeoutId).toBeNull()
	queue.destroy()
})
