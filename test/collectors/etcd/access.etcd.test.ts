// The etcd collector where etcd wants certificates and users: it records with the right ones, and says what is wrong with the others.
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EtcdConfig } from '#collectors/etcd/config.ts'
import { makeAuthority, makeCertificate, type CertificateFiles } from '#test/support/certificates.ts'
import { startEtcdCluster } from '#test/support/etcd-cluster.ts'
import { etcdClient, startEtcd, untilAnswered, type EtcdOptions, type EtcdServer } from '#test/support/etcd.ts'
import { Running } from './running.ts'

let dir: string
let states = 0

beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'kubetape-test-'))
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

const start = (config: Partial<EtcdConfig>): Running => new Running({ stateDir: join(dir, `state-${++states}`), config })
const filesOf = ({ cert, key }: CertificateFiles): Partial<EtcdConfig> => ({ certFile: cert, keyFile: key })
const value = (name: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } })
/** On a connection of its own, as one that has met a dead etcd holds back for seconds. */
async function put(endpoints: readonly string[], options: EtcdOptions = {}): Promise<bigint> {
	const request = { key: Buffer.from('/registry/configmaps/shop/a'), value: Buffer.from(value('a')) }
	return untilAnswered(async () => {
		const client = etcdClient(endpoints, options)
		try {
			return BigInt((await client.kv.put(request)).header.revision)
		} finally {
			client.close()
		}
	})
}

describe('TLS with client certificates', () => {
	let etcd: EtcdServer
	let authority: CertificateFiles
	let client: CertificateFiles
	let stranger: CertificateFiles

	beforeAll(async () => {
		authority = makeAuthority(dir, 'authority')
		stranger = makeAuthority(dir, 'stranger')
		const server = makeCertificate(dir, 'server', authority)
		client = makeCertificate(dir, 'client', authority)
		etcd = await startEtcd([], { tls: { caFile: authority.cert, certFile: server.cert, keyFile: server.key } })
	})

	afterAll(() => etcd.stop())

	it('is recorded', async () => {
		await etcd.put('/registry/configmaps/shop/a', value('a'))
		await using running = start({ endpoints: [etcd.endpoint], caFile: authority.cert, certFile: client.cert, keyFile: client.key })
		const revision = await etcd.put('/registry/configmaps/shop/a', value('a'))
		await running.seen(revision)
		// Without its scheme an endpoint is https where there is a caFile.
		await using other = start({
			endpoints: [etcd.endpoint.replace('https://', '')],
			caFile: authority.cert,
			certFile: client.cert,
			keyFile: client.key,
		})
		await other.seen(revision)
		expect([...running.warnings, ...other.warnings]).toEqual([])
	})

	it.each([
		[
			'another authority',
			(): Partial<EtcdConfig> => ({ caFile: stranger.cert, certFile: client.cert, keyFile: client.key }),
			/verify the first certificate/,
		],
		['the authorities of the machine', (): Partial<EtcdConfig> => ({}), /verify the first certificate/],
		['no certificate', (): Partial<EtcdConfig> => ({ caFile: authority.cert }), /alert certificate required/],
		[
			'a certificate that a stranger signed',
			(): Partial<EtcdConfig> => ({ caFile: authority.cert, ...filesOf(makeCertificate(dir, 'foreign', stranger)) }),
			/alert unknown ca/,
		],
		[
			'the key of another certificate',
			(): Partial<EtcdConfig> => ({ caFile: authority.cert, certFile: client.cert, keyFile: stranger.key }),
			/key values mismatch/,
		],
		[
			'a certificate that is half there',
			(): Partial<EtcdConfig> => {
				const certFile = join(dir, 'half.crt')
				writeFileSync(certFile, readFileSync(client.cert).subarray(0, 200))
				return { caFile: authority.cert, certFile, keyFile: client.key }
			},
			/certFile and keyFile: .*PEM/,
		],
	])('%s ends it with what is wrong', async (_, config, message) => {
		await using running = start({ endpoints: [etcd.endpoint], ...config() })
		expect(await running.failure()).toMatchObject({ code: 'ETCD_TLS', message: expect.stringMatching(message) as unknown })
		expect(String(await running.failure())).toContain(`etcd: ${etcd.endpoint}: `)
	})

	it('a name that the certificate does not have ends it', async () => {
		const server = makeCertificate(dir, 'elsewhere', authority, 'DNS:elsewhere.example.com')
		await using other = await startEtcd([], { tls: { caFile: authority.cert, certFile: server.cert, keyFile: server.key } })
		await using running = start({ endpoints: [other.endpoint], caFile: authority.cert, ...filesOf(client) })
		expect(await running.failure()).toMatchObject({ code: 'ETCD_TLS', message: expect.stringContaining('altnames') as unknown })
	})

	it('an endpoint that refuses is passed over where another one takes us', async () => {
		const revision = await etcd.put('/registry/configmaps/shop/b', value('b'))
		const foreign = makeCertificate(dir, 'foreign-server', stranger)
		await using other = await startEtcd([], { tls: { caFile: stranger.cert, certFile: foreign.cert, keyFile: foreign.key } })
		await using running = start({ endpoints: [other.endpoint, etcd.endpoint], caFile: authority.cert, ...filesOf(client) })
		await running.seen(revision)
		expect(running.warnings.map(({ code }) => code)).toEqual(['ETCD_TLS'])
	})

	it('certificates that are exchanged while it runs are taken when they are right', async () => {
		const files = filesOf(makeCertificate(dir, 'exchanged', authority))
		await using running = start({ endpoints: [etcd.endpoint], caFile: authority.cert, ...files })
		await running.seen(await etcd.put('/registry/configmaps/shop/c', value('c')))
		const sessions = running.warnings.length
		makeCertificate(dir, 'exchanged', stranger)
		await etcd.kill()
		await etcd.restart()
		const refused = (what: RegExp): boolean =>
			running.warnings.slice(sessions).some(({ code, error }) => code === 'ETCD_TLS' && what.test(String(error)))
		await running.until('a refusal', () => refused(/alert/))
		// One file is there before the other.
		copyFileSync(client.key, files.keyFile ?? '')
		await running.until('a refusal of what does not go together', () => refused(/key values mismatch/))
		makeCertificate(dir, 'exchanged', authority)
		await running.seen(await etcd.put('/registry/configmaps/shop/c', value('c')))
		expect(running.gaps).toEqual([])
	})
})

describe('users', () => {
	const root = { username: 'root', password: 'of all' }
	let etcd: EtcdServer
	beforeAll(async () => {
		etcd = await startEtcd(['--auth-token-ttl=1'])
		const { client } = etcd
		await client.user(root.username).create(root.password)
		await client.user(root.username).addRole('root')
		await client.role('reader').create()
		await client.role('reader').grant({ permission: 'Read', range: client.namespace('').range({ prefix: '/registry/' }) })
		await client.user('tape').create('right')
		await client.user('tape').addRole('reader')
		await client.auth.authEnable()
	})

	afterAll(() => etcd.stop())

	it('with a role that reads /registry/ alone are enough for that prefix', async () => {
		const passwordFile = join(dir, 'password')
		writeFileSync(passwordFile, 'right\n')
		await using running = start({ endpoints: [etcd.endpoint], username: 'tape', passwordFile, prefix: '/registry/' })
		await running.seen(await put([etcd.endpoint], { auth: root }))
		// The token of this session is long over when etcd comes back.
		await etcd.kill()
		await etcd.restart()
		await running.seen(await put([etcd.endpoint], { auth: root }))
		expect(running.gaps).toEqual([])
	})

	it('that may not read everything are told so', async () => {
		await using running = start({ endpoints: [etcd.endpoint], username: 'tape', password: 'right' })
		expect(await running.failure()).toMatchObject({ code: 'ETCD_AUTH', message: expect.stringContaining('permission denied') as unknown })
	})

	it.each([
		['a wrong password', { username: 'tape', password: 'wrong' }, /authentication failed/],
		['an unknown user', { username: 'nobody', password: 'right' }, /authentication failed/],
		['no user', {}, /user name is empty/],
	])('%s ends it with what is wrong', async (_, config, message) => {
		await using running = start({ endpoints: [etcd.endpoint], prefix: '/registry/', ...config })
		expect(await running.failure()).toMatchObject({ code: 'ETCD_AUTH', message: expect.stringMatching(message) as unknown })
	})
})

describe('several endpoints', () => {
	it('one that takes the connection and never answers is passed over', async () => {
		await using etcd = await startEtcd()
		const revision = await etcd.put('/registry/configmaps/shop/a', value('a'))
		const held = new Set<Socket>()
		const silent = createServer((socket) => held.add(socket))
		await once(silent.listen(0, '127.0.0.1'), 'listening')
		try {
			const { port } = silent.address() as AddressInfo
			await using running = start({ endpoints: [`http://127.0.0.1:${port}`, etcd.endpoint] })
			await running.seen(revision)
			expect(running.warnings.map(({ error }) => error)).toContainEqual(expect.stringMatching(/127\.0\.0\.1/))
		} finally {
			for (const socket of held) socket.destroy()
			silent.close()
		}
	})

	it('a member without a leader lets go of the watch, and nothing is lost when the leader is back', async () => {
		await using cluster = await startEtcdCluster()
		const [one, two, three] = cluster.members
		const endpoints = cluster.members.map(({ endpoint }) => endpoint)
		await using running = start({ endpoints: [one?.endpoint ?? ''] })
		const first = await put(endpoints)
		await running.seen(first)
		await Promise.all([two?.kill(), three?.kill()])
		await running.until('the loss of the leader', () => running.warnings.some(({ error }) => /no leader/.test(error ?? '')))
		await Promise.all([two?.restart(), three?.restart()])
		await cluster.healthy()
		const last = await put(endpoints)
		await running.seen(last)
		expect(running.versions.map(({ revision }) => revision)).toEqual(
			Array.from({ length: Number(last - first) + 1 }, (_, index) => first + BigInt(index)),
		)
		expect(running.gaps).toEqual([])
	})

	it('goes on with the others when the member that it watches is killed', async () => {
		await using cluster = await startEtcdCluster()
		const endpoints = cluster.members.map(({ endpoint }) => endpoint)
		await using running = start({ endpoints })
		await running.seen(await put(endpoints))
		await cluster.members[0]?.kill()
		let last = 0n
		for (let tries = 0; tries < 20; tries += 1) last = await put(endpoints).catch(() => last)
		await running.seen(last)
		expect(running.gaps).toEqual([])
		expect(new Set(running.versions.map(({ id }) => id)).size).toBe(running.versions.length)
	})
})
