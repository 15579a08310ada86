// Every value of the recorded incident becomes a version; hostile bytes become rejects.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeValue } from '#collectors/etcd/decode.ts'
import { createVersions, type EtcdEvent } from '#collectors/etcd/versions.ts'
import type { Body } from '#records/body.ts'
import { createCatalog } from '#records/catalog.ts'
import { unfoldLease } from '#records/lease.ts'
import { objectKey } from '#records/object-key.ts'
import { parseTime } from '#records/time.ts'

interface Line {
	rev: number
	type: 'PUT' | 'DELETE'
	key: string
	create_revision: number
	version: number
	lease: string
	value: string | null
	prev: { mod_revision: number; value: string } | null
	observed: string
}

const lines = gunzipSync(readFileSync('demo/etcd.jsonl.gz'))
	.toString()
	.trim()
	.split('\n')
	.map((text) => JSON.parse(text) as Line)
const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64')
const eventOf = (line: Line): EtcdEvent => ({
	type: line.type,
	key: line.key,
	value: line.value === null ? null : bytes(line.value),
	modRevision: BigInt(line.rev),
	createRevision: BigInt(line.create_revision),
	version: BigInt(line.version),
	lease: BigInt(line.lease),
	prev: line.prev && { modRevision: BigInt(line.prev.mod_revision), value: bytes(line.prev.value) },
})
const versions = () => createVersions({ cluster: 'demo', source: 'test', space: 'main', prefix: '/registry/', catalog: createCatalog() })

describe('versions of the recorded incident', () => {
	const read = versions()
	const records = lines.map((line) => read.toRecord(eventOf(line), parseTime(line.observed) ?? 0, 'watch'))

	it('are all there, one id each', () => {
		expect(read.takeRejects()).toEqual([])
		expect(new Set(records.map((record) => record.id)).size).toBe(2817)
		expect(new Set(records.map((record) => objectKey(record.object))).size).toBe(802)
	})

	it('carry the body before and after, with their resourceVersions', () => {
		let bodies = 0
		for (const record of records) {
			if (record.folded || record.after === null || record.encoding === 'raw') continue
			const metadata = record.after.object['metadata'] as Record<string, unknown>
			if (metadata['name'] === undefined) continue
			expect(metadata['resourceVersion']).toBe(record.revision.toString())
			bodies += 1
		}
		expect(bodies).toBeGreaterThan(1500)
		const changed = records.find((record) => record.kind === 'change' && record.revision === 710n)
		expect(changed?.kind === 'change' && objectKey(changed.object)).toBe('deployments.apps/shop/checkout')
		expect(changed?.kind === 'change' && changed.before?.text.includes('checkout:v2.0.0')).toBe(true)
		expect(changed?.kind === 'change' && changed.after?.text.includes('checkout:v2.0.1')).toBe(true)
	})

	it('know resources, groups and owner chains', () => {
		const keys = records.flatMap((record) => (record.kind === 'change' ? [objectKey(record.object)] : []))
		for (const key of [
			'nodes/-/node-a',
			'services/shop/checkout',
			'customresourcedefinitions.apiextensions.k8s.io/-/backends.shop.example.com',
			'backends.shop.example.com/shop/primary',
			'etcdkeys/-/compact_rev_key',
		])
			expect(keys).toContain(key)
		const pod = records.find(
			(record) => record.kind === 'change' && record.object.resource === 'pods' && record.object.name.startsWith('checkout-'),
		)
		expect(pod?.kind === 'change' && pod.owners.map((owner) => owner.kind)).toEqual(['ReplicaSet', 'Deployment'])
	})

	it('do not fold a Lease against a version that nobody was given', () => {
		const renewals = lines.filter((line) => line.key.includes('/leases/') && line.type === 'PUT' && line.prev !== null)
		const key = renewals.find((line) => renewals.filter((other) => other.key === line.key).length > 20)?.key
		const middle = renewals.filter((line) => line.key === key).slice(10, 14)
		const reading = versions()
		const found = middle.map((line) => reading.toRecord(eventOf(line), parseTime(line.observed) ?? 0, 'watch'))
		expect(found.map((record) => record.folded !== undefined)).toEqual([false, true, true, true])
		expect(found[0]?.after).not.toBeNull()
	})

	it('fold the Leases that only renewed', () => {
		const leases = records.filter((record) => record.kind === 'change' && record.object.resource === 'leases')
		const folded = leases.filter((record) => record.kind === 'change' && record.folded)
		expect(folded.length).toBeGreaterThan(leases.length / 2)
		// Unfolded again, each is what etcd holds.
		const plain = new Map(lines.filter((line) => line.value !== null).map((line) => [`${line.rev}/${line.key}`, line]))
		const lineOf = (name: string): Line | undefined => plain.get(name)
		const last = new Map<string, Body>()
		for (const record of leases) {
			if (record.kind !== 'change' || record.operation === 'deleted') continue
			const key = `/registry/leases/${record.object.namespace}/${record.object.name}`
			const base = last.get(key)
			const body = record.folded && base ? unfoldLease(base, record.folded, record.revision.toString()) : record.after
			const decoded = decodeValue(bytes(lineOf(`${record.revision}/${key}`)?.value ?? ''), record.revision)
			expect(body?.text).toBe('value' in decoded ? JSON.stringify(decoded.value) : '')
			if (record.after) last.set(key, record.after)
		}
	})

	it('say what a cluster event is about', () => {
		const event = records.find((record) => record.kind === 'event' && record.reason === 'FailedScheduling')
		expect(event?.kind === 'event' && event.regarding).toMatchObject({ resource: 'pods', kind: 'Pod' })
	})
})

describe('hostile values', () => {
	const samples = lines
		.filter((line) => line.value !== null)
		.filter((_line, index) => index % 97 === 0)
		.map((line) => Buffer.from(line.value ?? '', 'base64'))

	it('never throw, whatever is cut or flipped', () => {
		let rejects = 0
		fc.assert(
			fc.property(fc.constantFrom(...samples), fc.nat(), fc.nat(255), fc.nat(), (sample, at, flip, cut) => {
				const value = Buffer.from(sample.subarray(0, 1 + (cut % sample.length)))
				value[at % value.length] = (value[at % value.length] ?? 0) ^ flip
				const decoded = decodeValue(value, 1n)
				if ('reject' in decoded) rejects += 1
				else if ('value' in decoded) expect(typeof JSON.stringify(decoded.value)).toBe('string')
			}),
			{ numRuns: 3000 },
		)
		expect(rejects).toBeGreaterThan(100)
	})

	it('are told apart: encrypted, raw, unknown kinds', () => {
		expect(decodeValue(Buffer.from('k8s:enc:aescbc:v1:key1:\u0001\u0002'), 1n)).toMatchObject({ encoding: 'encrypted' })
		expect(decodeValue(Buffer.from('42'), 1n)).toEqual({ encoding: 'raw', note: 'value: 42' })
		expect(decodeValue(Buffer.from('{"a":1}'), 1n)).toMatchObject({ encoding: 'raw' })
	})

	it('outside of what the API server keeps are never shown: they may be secret', () => {
		for (const value of ['hunter2-secret-value', 'password=hunter3', '12 34', '1'.repeat(30)])
			expect(JSON.stringify(decodeValue(Buffer.from(value), 1n))).not.toContain(value)
	})

	it('become a version without a body, and a reject that names key, revision and hash', () => {
		const read = versions()
		const record = read.toRecord(
			{
				type: 'PUT',
				key: '/registry/pods/a/b',
				value: Buffer.from('k8s\0\u00ff\u00ff'),
				modRevision: 7n,
				createRevision: 7n,
				version: 1n,
				lease: 0n,
				prev: null,
			},
			1,
			'watch',
		)
		expect(record).toMatchObject({
			kind: 'change',
			revision: 7n,
			operation: 'created',
			object: { resource: 'pods', namespace: 'a', name: 'b' },
			encoding: 'raw',
			after: null,
			note: expect.stringContaining('cannot be read'),
		})
		const place = { kind: 'reject', step: 'etcd.decode', where: '/registry/pods/a/b at revision 7', sizeBytes: 8 }
		expect(read.takeRejects()).toMatchObject([place])
		expect(read.takeRejects()).toEqual([])
	})
})
