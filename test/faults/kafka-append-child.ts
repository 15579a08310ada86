// A process that appends numbered records to the Kafka log and prints each number once it is acknowledged, until it is killed. Arguments: JSON of its options.
import { writeSync } from 'node:fs'
import { systemClock } from '#runtime/clock.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { numberedRecord } from '#test/support/records.ts'
import { objectOf } from './kafka-support.ts'

export interface AppendChild {
	readonly brokers: readonly string[]
	readonly config: Readonly<Record<string, unknown>>
	readonly dir: string
	readonly from: number
}

const { brokers, config, dir, from } = JSON.parse(process.argv[2] ?? '') as AppendChild
const log = await openKafkaLog({ config: kafkaConfig(brokers, config), dir, clock: systemClock })
writeSync(1, 'open\n')
let next = from
const append = async (): Promise<void> => {
	for (;;) {
		const numbers = Array.from({ length: 20 }, () => next++)
		await log.append(
			'records',
			numbers.map((number) => numberedRecord(number, objectOf(number))),
		)
		writeSync(1, `${numbers.join('\n')}\n`)
		await systemClock.sleep(2)
	}
}
await Promise.all([append(), append(), append()])
