// Redaction: the only maker of Redacted records. Secrets become keyed hashes, so that "changed / same" can be answered and the value never can.
import { createHmac } from 'node:crypto'
import { Body } from '#records/body.ts'
import type { AuditEntry, KubetapeRecord, Redacted, VersionRecord } from '#records/record.ts'
import { messageOf } from '#runtime/errors.ts'
import type { StepResult } from '#processors/step.ts'
import { hashPrefix, mayHoldSecret, redactText } from './patterns.ts'
import { redactValue, type Hash } from './walk.ts'

const hashHexDigits = 16
const words = 'passw|passphrase|secret|token|api[_-]?key|private[_-]?key|credential|authorization|cookie'
/** A body in which none of this stands needs no walk: whatever redactValue acts on has one of them. Escaped characters may hide anything. */
const walkNeeded = new RegExp(
	`"kind"\\s*:\\s*"(?:Secret|Token|OAuth)|last-applied-configuration|"name"\\s*:\\s*"[^"]*(?:${words})|"--?[\\w.-]*(?:${words})"|\\\\/|\\\\u00(?!26|3c|3e)[0-7]`,
	'i',
)
/** What a JSON parser quotes of its input may be secret. */
const quoted = /["'“][\s\S]*["'”]\.{0,3} is not valid JSON/

export interface Redactor {
	/** A record that may be written; or a reject, where a body cannot be walked. */
	redact(record: KubetapeRecord): StepResult<Redacted>
}

/** `key`: 32 bytes; the same value has the same hash under the same key. */
export function createRedactor(options: { readonly key: Uint8Array }): Redactor {
	const hash: Hash = (secret) =>
		hashPrefix + createHmac('sha256', options.key).update(secret, 'latin1').digest('hex').slice(0, hashHexDigits)
	/** A body is often the `before` of the next change: it is walked once. */
	const done = new WeakMap<Body, Body>()

	const body = (before: Body | null, place: { secret: boolean; token: boolean }): Body | null => {
		if (before === null) return null
		const known = done.get(before)
		if (known) return known
		let after = before
		if (place.secret || place.token || walkNeeded.test(before.text) || mayHoldSecret(before.text)) {
			const value = redactValue(before.value, hash, place)
			if (value !== before.value) after = Body.ofValue(value)
		}
		done.set(before, after)
		done.set(after, after)
		return after
	}

	const version = (record: VersionRecord): KubetapeRecord => {
		const secret = record.object.resource === 'secrets' && record.object.group === ''
		const place = { secret, token: false }
		const after = body(record.after, place)
		const before = body(record.before, place)
		const message = record.kind === 'event' ? redactText(record.message, hash) : ''
		if (after === record.after && before === record.before && (record.kind !== 'event' || message === record.message)) return record
		return record.kind === 'event' ? { ...record, after, before, message } : { ...record, after, before }
	}

	const audit = (record: AuditEntry): KubetapeRecord => {
		const secret = record.object?.resource === 'secrets' && record.object.group === ''
		const token = record.subresource === 'token' || record.object?.group === 'authentication.k8s.io'
		const after =
			secret || token
				? Body.ofValue(redactBodies(record.body.object, hash, { secret, token }))
				: (body(record.body, { secret: false, token: false }) ?? record.body)
		const requestURI = redactText(record.requestURI, hash)
		const userAgent = redactText(record.userAgent, hash)
		const same = after === record.body && requestURI === record.requestURI && userAgent === record.userAgent
		return same ? record : { ...record, body: after, requestURI, userAgent }
	}

	return {
		redact(record) {
			try {
				if (record.kind === 'change' || record.kind === 'event') return { ok: version(record) as Redacted }
				if (record.kind === 'audit') return { ok: audit(record) as Redacted }
				if (record.kind === 'log') {
					const text = redactText(record.text, hash)
					return { ok: (text === record.text ? record : { ...record, text }) as Redacted }
				}
				if (record.kind === 'reject' && quoted.test(record.reason))
					return { ok: { ...record, reason: record.reason.replace(quoted, 'it is not valid JSON') } as Redacted }
				return { ok: record as Redacted }
			} catch (error) {
				return { reject: error instanceof SyntaxError ? 'the body is no JSON' : messageOf(error) }
			}
		},
	}
}

/** An audit entry about Secrets or tokens: its bodies are theirs, also a patch that does not name its kind. */
function redactBodies(entry: Readonly<Record<string, unknown>>, hash: Hash, place: { secret: boolean; token: boolean }): unknown {
	const copy: Record<string, unknown> = { ...(redactValue(entry, hash) as Record<string, unknown>) }
	for (const field of ['requestObject', 'responseObject']) {
		if (copy[field] !== undefined) copy[field] = redactValue(copy[field], hash, place)
	}
	return copy
}
