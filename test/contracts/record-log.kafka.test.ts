// The record log's promises on Kafka: on a real broker, with topics of each test's own.
import { mkdtempSync, openSync, readdirSync, rmSync, writeSync, closeSync, fstatSync, readSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { recordLogContract } from './record-log.ts'

let server: KafkaServer
let opened = 0
beforeAll(async () => {
	server = await startKafka()
})
afterAll(() => server?.[Symbol.asyncDispose]())

/** Turns bits of the last batch of the partition, in the broker's own file. */
function damageEnd(folder: string): void {
	const [segment] = readdirSync(folder).filter((name) => name.endsWith('.log'))
	const file = openSync(join(folder, segment ?? ''), 'r+')
	try {
		const { size } = fstatSync(file)
		const byte = Buffer.alloc(1)
		readSync(file, byte, 0, 1, size - 12)
		byte.writeUInt8(byte.readUInt8() ^ 0x55)
		writeSync(file, byte, 0, 1, size - 12)
	} finally {
		closeSync(file)
	}
}

recordLogContract({
	name: 'kafka',
	async open({ partitions }) {
		const dir = mkdtempSync(join(tmpdir(), 'kubetape-log-'))
		const config = kafkaConfig(server.brokers, { topicPrefix: `contract${++opened}`, partitions })
		let aheadMs = 0
		const clock: Clock = { nowMicros: () => systemClock.nowMicros() + aheadMs * 1000, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
		let log = await openKafkaLog({ config, dir, clock })
		return {
			log,
			async reopen() {
				await log[Symbol.asyncDispose]()
				log = await openKafkaLog({ config, dir, clock })
				return log
			},
			async cleanup() {
				await log[Symbol.asyncDispose]()
				rmSync(dir, { recursive: true, force: true })
			},
			advance(ms) {
				aheadMs += ms
			},
			damageLast() {
				damageEnd(server.segments(`${config.topicPrefix}.records`, 0))
			},
		}
	},
})
