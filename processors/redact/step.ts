// Redaction: the only maker of Redacted records. Secrets become keyed hashes, so that "changed / same" can be answered and the value never can.
import { createHmac } from 'node:crypto'
import { Body } from '#records/body.ts'
import { mapTexts } from '#records/log-block.ts'
import type { AuditEntry, KubetapeRecord, LogBlock, Redacted, VersionRecord } from '#records/record.ts'
import { messageOf } from '#runtime/errors.ts'
import type { StepResult } from '#processors/step.ts'
import { mayBeDocument, newBudget, redactDocument } from './document.ts'
import { KeyLines } from './key-lines.ts'
import { hasRepeatedNames } from './members.ts'
import { hashPrefix, mayHoldSecret, redactText, seal, type Hash } from './patterns.ts'
import { Scanner } from './scan.ts'
import { placeAt, redactValue, type Place } from './walk.ts'

const hashHexDigits = 16
const openingBrace = 0x7b
const closingBrace = 0x7d
/** What a JSON parser quotes of its input may be secret. */
const quoted = /["'“][\s\S]*["'”]\.{0,3} is not valid JSON/
/** Of an audit entry: what a client may have written anything into. */
const written = ['requestURI', 'userAgent', 'user', 'impersonated', 'reason'] as const
export interface Redactor {
	/** A record that may be written; or a reject, where a body cannot be walked. */
	readonly redact: (record: KubetapeRecord) => StepResult<Redacted>
}

/** `key`: 32 bytes; the same value has the same hash under the same key. */
export function createRedactor(options: { readonly key: Uint8Array }): Redactor {
	const hash: Hash = (secret) => hashPrefix + createHmac('sha256', options.key).update(secret).digest('hex').slice(0, hashHexDigits)
	/** A body is often the `before` of the next change: it is walked once. */
	const done = new WeakMap<Body, Body>()
	const scanner = new Scanner()
	const blockScanner = new Scanner()
	const keys = new KeyLines()

	const body = (before: Body | null, place: Place): Body | null => {
		if (before === null) return null
		const known = done.get(before)
		if (known) return known
		let after = before
		if (place.secret || place.token || scanner.mayNeedWalk(before)) {
			const value = before.read()
			const walked = redactValue(value, hash, place)
			// What was said twice is not seen in the value, and must not be passed on in the text.
			if (walked !== value || hasRepeatedNames(before.text, value)) after = Body.ofValue(walked)
		}
		done.set(before, after)
		done.set(after, after)
		return after
	}

	const line = (file: string, text: string): string => redactLoose(keys.redact(file, text, hash), hash)

	/** The texts of all lines are scanned at once; only lines with a word that may tell of a secret are read. */
	const block = (record: LogBlock): LogBlock => {
		const { text, file } = record
		blockScanner.load(text)
		let word = blockScanner.nextWord(0)
		if (word < 0 && !keys.isOpen(file)) return record
		const mayChange = (from: number, to: number): boolean => {
			if (word >= 0 && word < from) word = blockScanner.nextWord(from)
			if (keys.isOpen(file)) return true
			if (word < 0 || word >= to) return false
			// JSON is scanned as a body is: most words stand in it only in passing.
			return text[from] !== openingBrace || text[to - 1] !== closingBrace || scanner.mayHold(text.subarray(from, to))
		}
		return mapTexts(record, (before) => line(file, before), mayChange)
	}

	const version = (record: VersionRecord): KubetapeRecord => {
		const secret = record.object.resource === 'secrets' && record.object.group === ''
		const place = placeAt(secret, false)
		const after = body(record.after, place)
		const before = body(record.before, place)
		const message = record.kind === 'event' ? redactLoose(record.message, hash) : ''
		if (after === record.after && before === record.before && (record.kind !== 'event' || message === record.message)) return record
		return record.kind === 'event' ? { ...record, after, before, message } : { ...record, after, before }
	}

	const audit = (record: AuditEntry): KubetapeRecord => {
		const secret = record.object?.resource === 'secrets' && record.object.group === ''
		const token = record.subresource === 'token' || record.object?.group === 'authentication.k8s.io'
		const after =
			secret || token
				? Body.ofValue(redactBodies(record.body.readObject(), hash, placeAt(secret, token)))
				: (body(record.body, placeAt(false, false)) ?? record.body)
		const envelope = redactEnvelope(record, hash)
		return after === record.body && envelope === undefined ? record : { ...record, ...envelope, body: after }
	}

	return {
		redact(record) {
			try {
				if (record.kind === 'change' || record.kind === 'event') return { ok: version(record) as Redacted }
				if (record.kind === 'audit') return { ok: audit(record) as Redacted }
				if (record.kind === 'log') {
					const text = line(record.file, record.text)
					if (text === record.text) return { ok: record as Redacted }
					const { raw: _raw, ...rest } = record // has what the text had
					return { ok: { ...rest, text } as Redacted }
				}
				if (record.kind === 'block') return { ok: block(record) as unknown as Redacted }
				if (record.kind === 'reject' && quoted.test(record.reason))
					return { ok: { ...record, reason: record.reason.replace(quoted, 'it is not valid JSON') } as Redacted }
				return { ok: record as Redacted }
			} catch (error) {
				return { reject: error instanceof SyntaxError ? 'the body is no JSON' : messageOf(error) }
			}
		},
	}
}

/** A text that stands by itself: a message, a log line. It may be, or hold, a document. */
function redactLoose(text: string, hash: Hash): string {
	return mayBeDocument(text, false)
		? redactDocument(text, hash, newBudget(), (value, keeping) => redactValue(value, keeping))
		: redactText(text, hash)
}

/** The fields into which a client may have written anything, where one of them held a secret. */
function redactEnvelope(record: AuditEntry, hash: Hash): Partial<AuditEntry> | undefined {
	const changed: Record<string, unknown> = {}
	for (const field of written) {
		const after = redactText(record[field], hash)
		if (after !== record[field]) changed[field] = after
	}
	if (record.groups.some(mayHoldSecret)) changed['groups'] = record.groups.map((group) => redactText(group, hash))
	for (const _ in changed) return changed
	return undefined
}

/** An audit entry about Secrets or tokens: its bodies are theirs, also a patch that does not name its kind. A body that is a text must tell what it is. */
function redactBodies(entry: Readonly<Record<string, unknown>>, hash: Hash, place: Place): unknown {
	const copy: Record<string, unknown> = { ...(redactValue(entry, hash) as Record<string, unknown>) }
	for (const field of ['requestObject', 'responseObject']) {
		const value = copy[field]
		if (typeof value === 'string') copy[field] = mayBeDocument(value, true) ? redactValue(value, hash, place) : seal(value, hash)
		else if (value !== undefined) copy[field] = redactValue(value, hash, place)
	}
	return copy
}
