// One entry of a journal, as `journalctl -o json` prints it: an object of fields, of which a value is text, an array of bytes, or an array of those where the field was repeated.
// Format: systemd.io/JOURNAL_EXPORT_FORMATS and journalctl(1), `--output=json`.
import type { JournalOrigin } from '#records/record.ts'
import type { Micros } from '#records/time.ts'

/** What journalctl is asked for; __CURSOR, the times and _BOOT_ID come always. */
export const entryFields = [
	'MESSAGE',
	'PRIORITY',
	'_PID',
	'SYSLOG_PID',
	'_SYSTEMD_UNIT',
	'UNIT',
	'SYSLOG_IDENTIFIER',
	'_COMM',
	'_HOSTNAME',
	'_TRANSPORT',
	'_SOURCE_REALTIME_TIMESTAMP',
] as const

/** Where an entry stands. Entries of one sequence are numbered in the order in which they were written, over all its files and boots. */
export interface Cursor {
	readonly text: string
	/** Of the sequence, 128 bits in hex. */
	readonly sequence: string
	readonly number: number
	readonly bootId: string
	readonly at: Micros
}

export interface Entry {
	readonly cursor: Cursor
	readonly at: Micros
	/** Of the message: as it was written, whatever it is. */
	readonly bytes: Buffer
	/** The systemd unit; `kernel`; what the process calls itself where it has no unit. */
	readonly unit: string
	readonly origin: JournalOrigin
}

const cursorForm = /^s=([0-9a-f]{1,32});i=([0-9a-f]{1,13});b=([0-9a-f]{1,32});m=[0-9a-f]{1,16};t=([0-9a-f]{1,13});x=[0-9a-f]{1,16}$/

/** sd_journal_get_cursor(3), whose format is told to be opaque: where it is another one, undefined. */
export function readCursor(text: unknown): Cursor | undefined {
	const [, sequence, number, bootId, at] = (typeof text === 'string' ? cursorForm.exec(text) : null) ?? []
	if (sequence === undefined || number === undefined || bootId === undefined || at === undefined) return undefined
	const cursor = { text: text as string, sequence, number: Number.parseInt(number, 16), bootId, at: Number.parseInt(at, 16) }
	return Number.isSafeInteger(cursor.number) && Number.isSafeInteger(cursor.at) ? cursor : undefined
}

const isByte = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255

/** Every value of a field, in its order. */
function valuesOf(field: unknown): readonly Buffer[] {
	if (typeof field === 'string') return [Buffer.from(field)]
	if (!Array.isArray(field)) return []
	if (field.length > 0 && field.every(isByte)) return [Buffer.from(field)]
	return field.flatMap((value: unknown) => (Array.isArray(value) && !value.every(isByte) ? [] : valuesOf(value)))
}

const lineEnd = Buffer.from('\n')

/** The entry, or why it is none. Never throws. */
export function readEntry(line: Buffer): Entry | string {
	let fields: Readonly<Record<string, unknown>>
	try {
		const parsed: unknown = JSON.parse(line.toString('utf8'))
		if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'no object'
		fields = parsed as Readonly<Record<string, unknown>>
	} catch {
		return 'not JSON'
	}
	const cursor = readCursor(fields['__CURSOR'])
	if (!cursor) return 'no __CURSOR, or one of an unknown form'
	const text = (name: (typeof entryFields)[number]): string => valuesOf(fields[name])[0]?.toString('utf8') ?? ''
	const whole = (name: (typeof entryFields)[number], max: number): number | null => {
		const value = text(name)
		return /^\d{1,16}$/.test(value) && Number(value) <= max ? Number(value) : null
	}
	const messages = valuesOf(fields['MESSAGE'])
	const [message] = messages
	if (!message) return fields['MESSAGE'] === null ? 'its MESSAGE is larger than journalctl prints' : 'no MESSAGE'
	const pid = whole('_PID', 2 ** 32) ?? whole('SYSLOG_PID', 2 ** 32)
	// What the manager says of a unit is the unit's, as it is for `journalctl -u`.
	const managed = pid === 1 ? text('UNIT') : ''
	const named = managed || text('_SYSTEMD_UNIT') || (text('_TRANSPORT') === 'kernel' ? 'kernel' : '')
	return {
		cursor,
		at: whole('_SOURCE_REALTIME_TIMESTAMP', Number.MAX_SAFE_INTEGER) ?? cursor.at,
		bytes: messages.length === 1 ? message : Buffer.concat(messages.flatMap((part, index) => (index === 0 ? [part] : [lineEnd, part]))),
		unit: named || text('SYSLOG_IDENTIFIER') || text('_COMM'),
		origin: {
			pid,
			priority: whole('PRIORITY', 7),
			bootId: cursor.bootId,
			hostname: text('_HOSTNAME'),
			identifier: text('SYSLOG_IDENTIFIER'),
		},
	}
}
