// Connecting to real brokers: TLS, passwords, and what is said where they are wrong.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#runtime/clock.ts'
import type { KubetapeError } from '#runtime/errors.ts'
import { openKafkaLog } from '#storage/log/kafka/log.ts'
import { kafkaUser, startKafka, type KafkaServer } from '#test/support/kafka.ts'
import { kafkaConfig } from '#test/support/kafka-log.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { numberedRecord } from '#test/support/records.ts'

const folder = temporaryFolder('kafka-connect')
afterAll(() => folder.remove())

function secret(name: string, password: string): string {
	const path = join(folder.path, name)
	writeFileSync(path, `${password}\n`)
	return path
}

/** Appends a record and reads it again. Gives the error's code where it cannot. */
async function used(server: KafkaServer, overrides: Readonly<Record<string, unknown>>): Promise<string> {
	const config = kafkaConfig(server.brokers, overrides)
	try {
		await using log = await openKafkaLog({ config, dir: folder.path, clock: systemClock })
		await log.append('records', [numberedRecord(1)])
		for await (const { records } of log.read('g', ['records'], AbortSignal.timeout(20_000))) return `read ${records.length}`
		return 'read nothing'
	} catch (error) {
		return `${(error as KubetapeError).code}: ${(error as Error).message}`
	}
}

describe.each(['plain', 'scram'] as const)('brokers with TLS and %s', (kind) => {
	let server: KafkaServer
	beforeAll(async () => {
		server = await startKafka({ tls: true, sasl: kind })
	})
	afterAll(() => server?.[Symbol.asyncDispose]())
	const right = secret('right', kafkaUser.password)
	const sasl = (mechanism: string, passwordFile = right): Record<string, unknown> => ({
		sasl: { mechanism, username: kafkaUser.username, passwordFile },
	})

	it.each(kind === 'plain' ? ['plain'] : ['scram-sha-256', 'scram-sha-512'])('are used with %s', async (mechanism) => {
		expect(await used(server, { topicPrefix: mechanism, tls: { caFile: server.caFile }, ...sasl(mechanism) })).toBe('read 1')
	})

	it('say what is wrong with the password, the mechanism and the certificate', async () => {
		const tls = { caFile: server.caFile }
		const mechanism = kind === 'plain' ? 'plain' : 'scram-sha-256'
		expect(await used(server, { tls, ...sasl(mechanism, secret('wrong', 'guessed')) })).toMatch(/^KAFKA_AUTH: /)
		expect(await used(server, { tls, ...sasl(kind === 'plain' ? 'scram-sha-256' : 'plain') })).toMatch(/^KAFKA_AUTH: /)
		expect(await used(server, { tls: {}, ...sasl(mechanism) })).toMatch(/^KAFKA_TLS: /)
		expect(await used(server, { tls, ...sasl(mechanism, '/nonexistent/password') })).toMatch(
			/^CONFIG_UNREADABLE: log\.kafka\.sasl\.passwordFile/,
		)
	})
})
