// What a wrong setting of the store on Elasticsearch is answered with: the code, by which the program ends with 2 or 3, and a line that says what to do. No server is needed: something else answers, or nothing.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Value } from 'typebox/value'
import { afterEach, expect, it } from 'vitest'
import { checkSettings } from '#cli/check-config.ts'
import { configSchema, type Config } from '#cli/config.ts'
import { errorRegistry, type KubetapeError } from '#runtime/errors.ts'
import { openElasticsearchStore } from '#storage/store/elasticsearch/store.ts'
import { fixedClock } from '#test/storage/store/records.ts'

const servers: Server[] = []
afterEach(async () => {
	for (const server of servers.splice(0)) await once(server.close(), 'close')
})

async function answering(
	status: number,
	body: string,
	headers: Readonly<Record<string, string>> = { 'x-elastic-product': 'Elasticsearch' },
): Promise<string> {
	const server = createServer((_, response) => void response.writeHead(status, { connection: 'close', ...headers }).end(body))
	servers.push(server)
	await once(server.listen(0, '127.0.0.1'), 'listening')
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function refusal(config: Parameters<typeof openElasticsearchStore>[0]['config']): Promise<readonly [string, number, string]> {
	const error = await openElasticsearchStore({ config, clock: fixedClock }).then(
		() => undefined,
		(thrown: KubetapeError) => thrown,
	)
	if (!error) throw new Error('it was opened')
	return [error.code, errorRegistry[error.code].exit, error.message]
}

it('something else answers there: 2, and which setting is wrong', async () => {
	expect(await refusal({ url: await answering(200, '<html>hello</html>', {}) })).toEqual([
		'CONFIG_INVALID',
		2,
		expect.stringMatching(/store\.elasticsearch\.url: .* is no Elasticsearch/),
	])
	const old = JSON.stringify({ tagline: 'You Know, for Search', version: { number: '7.17.1' } })
	expect(await refusal({ url: await answering(200, old) })).toEqual([
		'CONFIG_INVALID',
		2,
		expect.stringMatching(/7\.17\.1 .* is too old: 8 or newer/),
	])
	const media = JSON.stringify({
		error: { type: 'media_type_header_exception', reason: 'Accept version must be either version 8 or 7, but found 9' },
	})
	expect(await refusal({ url: await answering(400, media) })).toEqual([
		'CONFIG_INVALID',
		2,
		expect.stringMatching(/compatibility is 9, .* set it to 8/),
	])
})

it('it refuses, does not answer, is not trusted, or a file is missing: 3 or 2, and what to do', async () => {
	const denied = JSON.stringify({
		error: { type: 'security_exception', reason: 'unable to authenticate user [kubetape] for REST request [/]' },
	})
	expect(await refusal({ url: await answering(401, denied), username: 'kubetape', password: 'wrong-secret' })).toEqual([
		'STORAGE_AUTH',
		3,
		expect.not.stringContaining('wrong-secret'),
	])
	expect(await refusal({ url: 'http://127.0.0.1:1' })).toEqual(['STORAGE_UNAVAILABLE', 3, expect.stringContaining('127.0.0.1:1')])
	expect(await refusal({ url: await answering(200, ''), apiKeyFile: '/nonexistent/key' })).toEqual([
		'CONFIG_UNREADABLE',
		2,
		expect.stringContaining('apiKeyFile'),
	])
})

it.each([
	[{ apiKey: 'a', username: 'u', password: 'p' }, /an API key or a user, not both/],
	[{ apiKey: 'a', apiKeyFile: '/f' }, /apiKeyFile are the same/],
	[{ username: 'u' }, /go together/],
	[{ password: 'p' }, /go together/],
	[{ caFile: '/f' }, /caFile needs an https/],
])('settings that do not fit together are refused before anything is started: %o', (elasticsearch, message) => {
	const config = Value.Default(configSchema, { store: { elasticsearch } }) as Config
	expect(() => checkSettings(config)).toThrow(message)
})
