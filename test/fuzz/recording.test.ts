// Recordings and lines with flipped, missing and invented bytes: read as far as they can be, rejects for the rest, never a throw and never a hang.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unwrap } from '#collectors/audit/envelopes.ts'
import { parseAuditLine, parseGkeEntry } from '#collectors/audit/parse.ts'
import { readEtcdLine } from '#collectors/replay/etcd-line.ts'
import { readTar } from '#collectors/replay/tar.ts'
import { readCriLine } from '#collectors/tail/cri.ts'
import { readLogText } from '#records/log-text.ts'
import { auditLine, etcdLine, replay, temporaryFolder } from '#test/collectors/replay/support.ts'

const context = { cluster: 'c', source: 'audit', observedAt: 0, where: 'x:0' }
const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 })

function flipped(bytes: Uint8Array, places: readonly (readonly [number, number])[]): Buffer {
	const copy = Buffer.from(bytes)
	for (const [at, mask] of places) if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ mask
	return copy
}

const demo = (file: string): Buffer => gunzipSync(readFileSync(fileURLToPath(new URL(`../../demo/${file}`, import.meta.url))))
const linesOf = (bytes: Buffer, every: number): readonly Buffer[] =>
	bytes
		.toString('latin1')
		.split('\n')
		.filter((line, index) => line !== '' && index % every === 0)
		.map((line) => Buffer.from(line, 'latin1'))

describe('lines', () => {
	it('every reader answers any bytes', () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.uint8Array({ maxLength: 300 }),
					fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
					fc.json().map((text) => Buffer.from(text)),
				),
				(bytes) => {
					const buffer = Buffer.from(bytes)
					expect(parseAuditLine(buffer, context).kind).toBe('reject')
					expect(readEtcdLine(buffer)).toBeTypeOf('string')
					readCriLine(buffer)
					readLogText(buffer.toString(), 0)
				},
			),
		)
	})

	it('envelopes with flipped bytes, and any JSON, are unwrapped or refused', () => {
		const [line = Buffer.alloc(0)] = linesOf(demo('audit.jsonl.gz'), 97)
		const log = line.toString()
		const wrapped = [
			{ category: 'kube-audit', properties: { log } },
			{ messageType: 'DATA_MESSAGE', logEvents: [{ message: log }] },
			{ awslogs: { data: gzipSync(JSON.stringify({ logEvents: [{ message: log }] })).toString('base64') } },
			[[{ field: '@message', value: log }]],
			{ insertId: 'i', timestamp: '2026-01-02T03:04:05Z', protoPayload: { serviceName: 'k8s.io', methodName: 'io.k8s.core.v1.pods.get' } },
		].map((value) => Buffer.from(JSON.stringify(value)))
		const read = (bytes: Buffer): void => {
			for (const found of unwrap(bytes, 'auto')) {
				if ('event' in found) parseAuditLine(found.event, context)
				else if ('gke' in found) parseGkeEntry(found.gke, context)
			}
		}
		fc.assert(fc.property(fc.constantFrom(...wrapped), flips, (bytes, places) => read(flipped(bytes, places))))
		fc.assert(fc.property(fc.json(), (text) => read(Buffer.from(text))))
	})

	it('recorded audit lines with flipped bytes are entries or rejects', () => {
		const lines = linesOf(demo('audit.jsonl.gz'), 97)
		fc.assert(
			fc.property(fc.constantFrom(...lines), flips, (line, places) => {
				expect(['audit', 'reject']).toContain(parseAuditLine(flipped(line, places), context).kind)
			}),
		)
	})
})

describe('recordings', () => {
	const etcd = demo('etcd.jsonl.gz')
	const recorded = linesOf(etcd, 40)

	it('with flipped bytes are read through, every line a version or a reject', async () => {
		const plain = Buffer.from(`${recorded.map((line) => line.toString('latin1')).join('\n')}\n`, 'latin1')
		await fc.assert(
			fc.asyncProperty(flips, async (places) => {
				const dir = temporaryFolder()
				const bytes = flipped(plain, places)
				writeFileSync(join(dir, 'etcd.jsonl'), bytes)
				const { records } = await replay(dir)
				const lines = bytes
					.toString('latin1')
					.split('\n')
					.filter((line) => line !== '').length
				// A value that cannot be read is a version and a reject beside it.
				const told = records.filter((record) =>
					record.kind === 'reject' ? record.step !== 'etcd.decode' : record.kind === 'change' || record.kind === 'event',
				)
				expect(told).toHaveLength(lines)
			}),
			{ numRuns: 25 },
		)
	})

	it('as gzip with flipped or missing bytes are read up to there, and the break is told', async () => {
		const lines = Array.from({ length: 300 }, (_, index) => etcdLine(index + 2, `n${index}`))
		const packed = gzipSync(`${lines.join('\n')}\n`)
		const audit = gzipSync(`${auditLine('a', 1)}\n`)
		await fc.assert(
			fc.asyncProperty(flips, fc.integer({ min: 20, max: packed.length - 1 }), async (places, end) => {
				const dir = temporaryFolder()
				writeFileSync(join(dir, 'etcd.jsonl.gz'), packed.subarray(0, end))
				writeFileSync(join(dir, 'audit.jsonl.gz'), flipped(audit, places))
				const { records } = await replay(dir)
				expect(records.some((record) => record.kind === 'reject' && record.where.startsWith('etcd.jsonl'))).toBe(true)
				const seen = records.flatMap((record) => (record.kind === 'change' ? [Number(record.revision)] : []))
				expect(seen).toEqual(Array.from(seen, (_, index) => index + 2))
			}),
			{ numRuns: 25 },
		)
	})

	it('with a garbled archive of pods are read all the same', async () => {
		const pods = readFileSync(fileURLToPath(new URL('../../demo/pods.tar.gz', import.meta.url)))
		await fc.assert(
			fc.asyncProperty(flips, fc.integer({ min: 0, max: 20_000 }), async (places, end) => {
				const dir = temporaryFolder()
				writeFileSync(join(dir, 'audit.jsonl'), `${auditLine('a', 1)}\n`)
				writeFileSync(join(dir, 'pods.tar.gz'), flipped(pods.subarray(0, end), places))
				const { records } = await replay(dir)
				expect(records.filter((record) => record.kind === 'audit')).toHaveLength(1)
				expect(end === 0 || records.some((record) => record.kind === 'reject')).toBe(true)
			}),
			{ numRuns: 20 },
		)
	})

	it('tar: any bytes end, with entries or an error', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
				const read = async (): Promise<string> => {
					try {
						for await (const entry of readTar(
							(async function* () {
								yield Buffer.from(bytes)
							})(),
						))
							for await (const _ of entry.content);
						return 'read'
					} catch {
						return 'refused'
					}
				}
				expect(['read', 'refused']).toContain(await read())
			}),
		)
	})
})
