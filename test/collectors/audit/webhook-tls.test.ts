// The webhook receiver with real certificates: who is heard, and who is not.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { KubetapeRecord } from '#records/record.ts'
import { auditLine, temporaryFolder } from '#test/collectors/replay/support.ts'
import { makeAuthority, makeCertificate, type CertificateFiles } from '#test/support/certificates.ts'
import { listOf, send, startReceiving, type Receiving } from './receiving.ts'

const dir = temporaryFolder()
const made = new Map<string, CertificateFiles>()
function files(name: string): CertificateFiles {
	const found = made.get(name)
	if (!found) throw new Error(`no certificate was made for ${name}`)
	return found
}
let receiving: Receiving | undefined
beforeAll(() => {
	for (const authority of ['ca', 'client-ca', 'other-ca']) made.set(authority, makeAuthority(dir, authority))
	for (const [name, authority] of [
		['server', 'ca'],
		['kube-apiserver', 'client-ca'],
		['somebody', 'client-ca'],
		['stranger', 'other-ca'],
	] as const)
		made.set(name, makeCertificate(dir, name, files(authority)))
})
afterEach(async () => receiving?.stop())

/** TLS 1.3 refuses a client after its own side of the handshake is done: by an alert, or by the end of the connection. */
const refused = /alert|socket hang up|ECONNRESET|EPIPE/

const kept: KubetapeRecord[] = []
async function start(config: object = {}): Promise<number> {
	kept.length = 0
	const { cert: certFile, key: keyFile } = files('server')
	receiving = await startReceiving(async (records) => void kept.push(...records), { certFile, keyFile, ...config })
	return receiving.port
}
const body = listOf([auditLine('a', 1)])
const as = (port: number, name?: string): Parameters<typeof send>[1] => ({
	tls: true,
	port,
	ca: readFileSync(files('ca').cert),
	...(name === undefined ? {} : { cert: readFileSync(files(name).cert), key: readFileSync(files(name).key) }),
})

describe('the audit webhook over TLS', () => {
	it('is what its certificate says, and hears anybody where no authority of clients is set', async () => {
		const port = await start()
		expect((await send([body], as(port))).status).toBe(200)
		expect(kept).toMatchObject([{ kind: 'audit', auditID: 'a' }])
		await expect(send([body], { ...as(port), ca: readFileSync(files('other-ca').cert) })).rejects.toThrow(/certificate/)
	})

	it('does not speak plainly', async () => {
		const port = await start()
		await expect(send([body], { port })).rejects.toThrow(/socket hang up|ECONNRESET/)
		expect(kept).toEqual([])
	})

	it('hears clients of its authority only', async () => {
		const port = await start({ clientCaFile: files('client-ca').cert })
		expect((await send([body], as(port, 'kube-apiserver'))).status).toBe(200)
		expect((await send([body], as(port, 'somebody'))).status).toBe(200)
		kept.length = 0
		await expect(send([body], as(port, 'stranger'))).rejects.toThrow(refused)
		// Signed by the authority of servers, which says nothing about clients.
		await expect(send([body], as(port, 'server'))).rejects.toThrow(refused)
		await expect(send([body], as(port))).rejects.toThrow(refused)
		expect(kept).toEqual([])
	})

	it('hears the clients that are named only', async () => {
		const port = await start({ clientCaFile: files('client-ca').cert, clientNames: ['kube-apiserver'] })
		expect((await send([body], as(port, 'kube-apiserver'))).status).toBe(200)
		expect((await send([body], as(port, 'somebody'))).status).toBe(403)
		expect(kept).toHaveLength(1)
	})

	it('says what is wrong with its files', async () => {
		const garbage = join(dir, 'garbage')
		writeFileSync(garbage, 'no certificate')
		await expect(start({ certFile: garbage })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
		await expect(start({ keyFile: files('somebody').key })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
		await expect(start({ certFile: join(dir, 'missing') })).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
		await expect(start({ clientNames: ['a'] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
		receiving = undefined
	})
})
