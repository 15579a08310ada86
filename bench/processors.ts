// Redaction and description, in microseconds per record, over every version of the recorded incident.
import { createDescribe } from '#processors/describe/step.ts'
import { createRedactor } from '#processors/redact/step.ts'
import type { Redacted, StoredRecord } from '#records/record.ts'
import { demoVersions } from '#test/history/demo.ts'

export const name = 'processors: redact and describe'

const rounds = 10

function micros(count: number, work: () => void): string {
	const begin = process.hrtime.bigint()
	work()
	return (Number(process.hrtime.bigint() - begin) / 1000 / count).toFixed(1)
}

export async function run(print: (line: string) => void): Promise<void> {
	let times = { redact: '', describe: '' }
	let count = 0
	for (let round = 0; round < rounds; round++) {
		const records = demoVersions()
		count = records.length
		for (const record of records) void [record.before?.text, record.after?.text]
		const redactor = createRedactor({ key: new Uint8Array(32) })
		const ready: Redacted<StoredRecord>[] = []
		const redact = micros(count, () => {
			for (const record of records) {
				const result = redactor.redact(record)
				if ('ok' in result) ready.push(result.ok as Redacted<StoredRecord>)
			}
		})
		const step = createDescribe()
		const describe = micros(count, () => {
			for (const record of ready) step(record)
		})
		times = { redact, describe }
	}
	print(
		`redact ${times.redact} µs per version (at most 8), describe ${times.describe} µs (at most 25); ${count} versions, last of ${rounds} rounds`,
	)
}
