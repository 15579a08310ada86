// One line of etcd.jsonl to an event of etcd, or why it is none. Format: docs/reference/recording.md.
import { isUtf8 } from 'node:buffer'
import type { EtcdEvent } from '#collectors/etcd/versions.ts'
import { parseRevision, type Revision } from '#records/revision.ts'
import { parseTime, type Micros } from '#records/time.ts'

export interface EtcdLine {
	readonly event: EtcdEvent
	/** Undefined where the line tells no time that can be read. */
	readonly observedAt: Micros | undefined
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields | undefined =>
	typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined

/** A number while it is exact, decimal text otherwise. */
function revisionOf(value: unknown): Revision | undefined {
	if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
	return parseRevision(value)
}

function int64Of(value: unknown): bigint | undefined {
	return typeof value === 'string' && /^-\d{1,19}$/.test(value) ? BigInt(value) : revisionOf(value)
}

/** Undefined where the text is not base64: Node would skip what does not belong there. */
function bytesOf(value: unknown): Uint8Array | undefined {
	if (typeof value !== 'string' || value.length % 4 !== 0) return undefined
	const bytes = Buffer.from(value, 'base64')
	const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
	return bytes.length === (value.length / 4) * 3 - padding ? bytes : undefined
}

/** Never throws. */
export function readEtcdLine(line: Buffer): EtcdLine | string {
	if (!isUtf8(line)) return 'the line is not UTF-8'
	let parsed: unknown
	try {
		parsed = JSON.parse(line.toString('utf8'))
	} catch {
		return 'the line is not JSON'
	}
	const row = fields(parsed)
	if (!row) return 'the line is no object'
	const type = row['type']
	if (type !== 'PUT' && type !== 'DELETE') return 'type is neither PUT nor DELETE'
	const key = row['key']
	if (typeof key !== 'string' || key === '') return 'key is missing'
	const modRevision = revisionOf(row['rev'])
	if (modRevision === undefined || modRevision === 0n) return 'rev is no revision'
	const createRevision = revisionOf(row['create_revision'])
	const version = revisionOf(row['version'])
	const lease = int64Of(row['lease'] ?? '0')
	if (createRevision === undefined || version === undefined || lease === undefined) return 'create_revision, version or lease is no number'
	if (createRevision > modRevision) return 'create_revision is after rev'
	const value = type === 'PUT' ? bytesOf(row['value']) : null
	if (value === undefined) return 'value is not base64'
	const prev = row['prev'] === null || row['prev'] === undefined ? null : prevOf(row['prev'])
	if (prev === undefined) return 'prev has no revision or no base64 value'
	if (prev && prev.modRevision >= modRevision) return 'prev is not before rev'
	const observed = row['observed']
	return {
		event: { type, key, value, modRevision, createRevision, version, lease, prev },
		observedAt: typeof observed === 'string' ? parseTime(observed) : undefined,
	}
}

function prevOf(value: unknown): EtcdEvent['prev'] | undefined {
	const prev = fields(value)
	const modRevision = revisionOf(prev?.['mod_revision'])
	const bytes = bytesOf(prev?.['value'])
	return modRevision !== undefined && modRevision > 0n && bytes ? { modRevision, value: bytes } : undefined
}
