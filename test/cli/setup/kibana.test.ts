// kubetape setup kibana: exactly what is sent, and what is said of every answer that Kibana, or what stands in its place, can give.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import { registerSetup } from '#cli/setup/register.ts'
import { savedObjectsFile } from '#dashboards/kibana/saved-objects.ts'
import { errorRegistry, KubetapeError } from '#runtime/errors.ts'
import { makeAuthority, makeCertificate } from '#test/support/certificates.ts'
import { startProgram, temporaryFolder } from '#test/support/program.ts'
import { imports, lines, ready, refusal, startKibana, type KibanaRequest, type Reply } from './kibana-server.ts'

interface Ended {
	readonly status: number | null
	readonly output: string
}

/** The command in this process, ended as cli/main.ts ends it. */
async function setup(args: readonly string[]): Promise<Ended> {
	let output = ''
	const take = (text: string): void => void (output += text)
	const program = new Command('kubetape').exitOverride().configureOutput({ outputError: take })
	registerSetup(program, { stdout: take, stderr: take })
	try {
		await program.parseAsync(['setup', 'kibana', ...args], { from: 'user' })
		return { status: 0, output }
	} catch (error) {
		if (error instanceof CommanderError) return { status: errorRegistry.CLI_USAGE.exit, output }
		if (!(error instanceof KubetapeError)) throw error
		return { status: errorRegistry[error.code].exit, output: `${output}${error.message} [${error.code}]` }
	}
}

async function setupProcess(args: readonly string[], input?: string): Promise<Ended> {
	const program = startProgram(['setup', 'kibana', ...args], {}, input === undefined ? undefined : Buffer.from(input))
	const status = await program.exited
	return { status, output: program.output() }
}

const isImport = ({ method }: KibanaRequest): boolean => method === 'POST'
const answering =
	(imported: (request: KibanaRequest, before: number) => Reply, status: (before: number) => Reply = () => ready()) =>
	(request: KibanaRequest, before: number): Reply =>
		isImport(request) ? imported(request, before) : status(before)

const objects = lines(savedObjectsFile('kubetape')).length - 1

describe('what is sent', () => {
	it('asks for the status, then imports the file as it is committed, over what is there', async () => {
		await using kibana = await startKibana(answering(imports))
		const ended = await setup(['--url', kibana.url])
		expect(ended).toEqual({
			status: 0,
			output: `${objects} saved objects are in Kibana: ${kibana.url}/app/dashboards#/view/kubetape-cluster-timeline\n`,
		})
		expect(kibana.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
			'GET /api/status',
			'POST /api/saved_objects/_import?overwrite=true',
		])
		const [, sent] = kibana.requests
		expect(sent?.headers['kbn-xsrf']).toBe('kubetape')
		expect(sent?.headers['authorization']).toBeUndefined()
		expect(sent?.body.toString()).toContain(readFileSync('dashboards/kibana/kubetape.ndjson', 'utf8'))
	})

	it('goes below the base path and into the space, with the API key', async () => {
		await using kibana = await startKibana(answering(imports))
		const ended = await setupProcess(
			['--url', `${kibana.url}/kb/`, '--space', 'platform-team', '--prefix', 'tape2', '--api-key-file', '-'],
			'a2V5\n',
		)
		expect(ended).toEqual({
			status: 0,
			output: `${objects} saved objects are in Kibana: ${kibana.url}/kb/s/platform-team/app/dashboards#/view/tape2-cluster-timeline\n`,
		})
		expect(kibana.requests.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
			['/kb/api/status', 'ApiKey a2V5'],
			['/kb/s/platform-team/api/saved_objects/_import?overwrite=true', 'ApiKey a2V5'],
		])
		expect(kibana.requests[1]?.body.toString()).toContain(savedObjectsFile('tape2'))
	})

	it('signs in with a user over TLS, where the authority is named', async () => {
		const folder = temporaryFolder('kibana-tls')
		const authority = makeAuthority(folder.path, 'authority')
		const certificate = makeCertificate(folder.path, 'kibana', authority)
		const tls = { key: readFileSync(certificate.key), cert: readFileSync(certificate.cert) }
		await using kibana = await startKibana(answering(imports), tls)
		const password = join(folder.path, 'password')
		writeFileSync(password, 's3cret:ü\n')
		const signed = ['--url', kibana.url, '--username', 'elastic', '--password-file', password]
		const ended = await setup([...signed, '--ca-file', authority.cert])
		const untrusted = await setup(signed)
		folder.remove()
		expect(ended.status).toBe(0)
		expect(kibana.requests.at(-1)?.headers['authorization']).toBe(`Basic ${Buffer.from('elastic:s3cret:ü').toString('base64')}`)
		expect(untrusted).toMatchObject({ status: 3, output: expect.stringMatching(/--ca-file.*\[KIBANA_TLS\]$/) as string })
	})

	it('writes the file in place of sending it', async () => {
		const ended = await setup(['--output', '-', '--prefix', 'tape2'])
		expect(ended).toEqual({ status: 0, output: savedObjectsFile('tape2') })
	})
})

const failing = (error: object): Reply => ({
	status: 200,
	body: {
		success: false,
		successCount: objects - 1,
		errors: [{ type: 'dashboard', id: 'kubetape-events', meta: { title: '[Kubetape] Events' }, error }],
		warnings: [],
	},
})

const answers: readonly (readonly [
	what: string,
	reply: (request: KibanaRequest, before: number) => Reply,
	status: number,
	output: RegExp,
])[] = [
	[
		'missing references',
		answering(() => failing({ type: 'missing_references', references: [{ type: 'search', id: 'lost' }] })),
		3,
		/dashboard “\[Kubetape\] Events” \(missing_references: search lost\) \[KIBANA_REFUSED\]/,
	],
	[
		'a conflict that overwriting does not solve',
		answering(() => failing({ type: 'ambiguous_conflict', destinations: [] })),
		3,
		/\(ambiguous_conflict\) \[KIBANA_REFUSED\]/,
	],
	[
		'an object of a newer version',
		answering(() =>
			failing({
				type: 'unknown',
				statusCode: 422,
				message: 'Document "kubetape-events" belongs to a more recent version of Kibana [10.2.0] when the last known version is [8.9.0].',
			}),
		),
		3,
		/need Kibana 9\.0 or newer: .*\[KIBANA_VERSION\]/,
	],
	[
		'the same of the whole file',
		answering(() =>
			refusal(422, 'Document "x" belongs to a more recent version of Kibana [10.2.0] when the last known version is [8.9.0].'),
		),
		3,
		/need Kibana 9\.0 or newer: .*\[KIBANA_VERSION\]/,
	],
	['an older Kibana', answering(imports, () => ready('8.19.3')), 3, /is 8\.19\.3: the dashboards need 9\.0 or newer \[KIBANA_VERSION\]/],
	['401 to nobody', answering(imports, () => refusal(401, 'Unauthorized')), 3, /asks who you are: give --api-key-file.*\[KIBANA_AUTH\]/],
	['403 to a user without the privilege', answering(() => refusal(403, 'Unable to bulk_create dashboard')), 3, /\[KIBANA_AUTH\]/],
	[
		'a file that it does not like',
		answering(() => refusal(400, 'Invalid file extension .txt')),
		3,
		/did not import: Invalid file extension \.txt \[KIBANA_REFUSED\]/,
	],
	['a proxy with a small limit', answering(() => ({ status: 413, body: '' })), 3, /maxImportPayloadBytes \[KIBANA_REFUSED\]/],
	[
		'not ready yet',
		answering(imports, () => ({ status: 503, body: 'Kibana server is not ready yet' })),
		3,
		/answers 503: Kibana server is not ready yet \[KIBANA_UNAVAILABLE\]/,
	],
	[
		'critical',
		answering(imports, () => ({
			status: 200,
			body: { status: { overall: { level: 'critical', summary: 'Elasticsearch is unavailable' } } },
		})),
		3,
		/is critical: Elasticsearch is unavailable \[KIBANA_UNAVAILABLE\]/,
	],
	[
		'Elasticsearch',
		() => ({ status: 404, body: {}, headers: { 'x-elastic-product': 'Elasticsearch', 'kbn-name': '' } }),
		3,
		/\[KIBANA_REFUSED\]/,
	],
	['another program', () => ({ status: 200, body: '<html>' }), 3, /is no Kibana: it answers \/api\/status with 200 \[KIBANA_REFUSED\]/],
	[
		'a base path that is left out',
		() => ({ status: 302, body: '', headers: { location: '/kb/' } }),
		3,
		/sends on to \/kb\/: .* \[KIBANA_REFUSED\]/,
	],
	['an answer that is none', answering(() => ({ status: 200, body: '{"success":tr' })), 3, /did not import: .*\[KIBANA_REFUSED\]/],
]

describe('what is answered', () => {
	it.each(answers)('%s', async (_, reply, status, output) => {
		await using kibana = await startKibana(reply)
		const ended = await setup(['--url', kibana.url])
		expect(ended.output).toMatch(output)
		expect(ended.output).not.toContain('\n')
		expect(ended.status).toBe(status)
	})

	it('a space that is not there', async () => {
		await using kibana = await startKibana(answering(() => refusal(404, 'Saved object [space/nowhere] not found')))
		const ended = await setup(['--url', kibana.url, '--space', 'nowhere'])
		expect(ended).toMatchObject({
			status: 3,
			output: expect.stringMatching(/has no space nowhere: Saved object \[space\/nowhere\] not found/) as string,
		})
	})

	it('tries again while it is told to wait, and only what may pass', async () => {
		await using slow = await startKibana(answering(imports, (before) => (before < 2 ? { status: 503, body: 'not ready' } : ready())))
		expect((await setup(['--url', slow.url, '--wait', '60'])).status).toBe(0)
		expect(slow.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'POST'])
		await using refusing = await startKibana(answering(imports, () => refusal(401, 'no')))
		expect((await setup(['--url', refusing.url, '--wait', '60'])).status).toBe(3)
		expect(refusing.requests).toHaveLength(1)
	})

	it('is one line and a status, of the program itself', async () => {
		await using kibana = await startKibana(answering(() => refusal(400, 'no\nfile')))
		expect(await setupProcess(['--url', kibana.url])).toEqual({
			status: 3,
			output: `kubetape: Kibana at ${kibana.url}/ did not import: no file [KIBANA_REFUSED]\n`,
		})
	})

	it('nobody', async () => {
		const kibana = await startKibana(answering(imports))
		await kibana[Symbol.asyncDispose]()
		const ended = await setup(['--url', kibana.url])
		expect(ended).toMatchObject({ status: 3, output: expect.stringMatching(/does not answer .*\[KIBANA_UNAVAILABLE\]/) as string })
	})
})

const wrong: readonly (readonly [args: readonly string[], output: RegExp])[] = [
	[[], /--url is missing/],
	[['--url', 'kibana:5601'], /--url kibana:5601: an address such as/],
	[['--url', 'http://elastic:changeme@kibana:5601'], /without user and password/],
	[['--url', 'http://kibana', '--username', 'elastic'], /--username and --password-file go together/],
	[['--url', 'http://kibana', '--username', 'a', '--password-file', 'b', '--api-key-file', 'c'], /exclude each other/],
	[['--url', 'http://kibana', '--api-key-file', '/nonexistent/key'], /--api-key-file: .*\[CONFIG_UNREADABLE\]/],
	[['--url', 'http://kibana', '--space', 'A b'], /the id of a space/],
	[['--url', 'http://kibana', '--prefix', 'Kube-tape'], /lower-case letters/],
	[['--url', 'http://kibana', '--wait', '1m'], /whole seconds/],
]

describe('used wrongly', () => {
	it.each(wrong)('%j', async (args, output) => {
		const ended = await setup(args)
		expect(ended.output).toMatch(output)
		expect(ended.status).toBe(2)
	})
})
