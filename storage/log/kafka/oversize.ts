// Records that are too large for the brokers even packed: they are stored without what makes them large, and say so.
import { Body } from '#records/body.ts'
import { linesOf } from '#records/log-block.ts'
import type { AuditEntry, LogLine, Redacted, VersionRecord } from '#records/record.ts'

/** Of a line that is cut off: what `originalBytes` stands for at most (records/record.ts). */
const originalBytesMax = 2 ** 26 - 1

/** A version without its bodies, as one that could not be read: the note says why, and how large it was. */
function withoutBodies(record: VersionRecord, bytesMax: number): VersionRecord {
	const bytes = (record.before?.bytes.length ?? 0) + (record.after?.bytes.length ?? 0)
	const note = `its value was left out: ${bytes} bytes, of which the record log takes ${bytesMax} packed`
	return { ...record, before: null, after: null, encoding: 'raw', note: record.note === undefined ? note : `${record.note}; ${note}` }
}

/** An audit entry without the objects of request and answer, as the API server itself leaves them out at level Metadata. */
function withoutObjects(record: AuditEntry): AuditEntry {
	const { requestObject: _request, responseObject: _response, annotations: _annotations, ...rest } = record.body.object
	return { ...record, truncated: true, body: Body.ofValue({ ...rest, level: 'Metadata' }) }
}

/** The beginning of the line, as far as it goes without cutting a character. */
function shortened(record: LogLine, bytesMax: number): LogLine {
	const { raw: _raw, ...line } = record
	const bytes = Buffer.from(record.text, 'utf8')
	let end = Math.min(bytes.length, bytesMax)
	while (end > 0 && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
	const flags = record.flags.includes('truncated') ? record.flags : [...record.flags, 'truncated' as const]
	return {
		...line,
		text: bytes.toString('utf8', 0, end),
		flags,
		originalBytes: Math.min(originalBytesMax, record.originalBytes ?? bytes.length),
	}
}

/**
 * What is appended in the place of a record of which `fits` says that it is too large: the lines of a block one by one, everything else without bodies.
 * Ids stay. Nothing is made up, so what was redacted stays redacted. Undefined where nothing more can be left out.
 */
export function smaller(record: Redacted, bytesMax: number, fits: (record: Redacted) => boolean): readonly Redacted[] | undefined {
	if (record.kind === 'block')
		return [...linesOf(record)].map((line) => (fits(line as Redacted) ? line : shortened(line, Math.floor(bytesMax / 2))) as Redacted)
	const cut = cutOf(record, bytesMax)
	return cut !== undefined && fits(cut) ? [cut] : undefined
}

function cutOf(record: Redacted, bytesMax: number): Redacted | undefined {
	switch (record.kind) {
		case 'change':
		case 'event':
			return withoutBodies(record, bytesMax) as Redacted
		case 'audit':
			return withoutObjects(record) as Redacted
		case 'log':
			return shortened(record, Math.floor(bytesMax / 2)) as Redacted
		case 'gap':
			return { ...record, touched: [] }
		default:
			return undefined
	}
}
