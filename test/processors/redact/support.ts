// A redactor with a known key, a secret to plant, and records to plant it in.
import { createRedactor } from '#processors/redact/step.ts'
import { Body } from '#records/body.ts'
import { encodeRecords } from '#records/codec.ts'
import type { AuditEntry, Change, KubetapeRecord } from '#records/record.ts'
import { aChange, anAuditEntry } from '#test/support/records.ts'

export const planted = 'Xq7Zk29LmWvT4bNc8RdY'
export const base64 = Buffer.from(planted).toString('base64')
export const secretRef = { resource: 'secrets', group: '', namespace: 'shop', name: 'db' }
export const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

const redactor = createRedactor({ key: new Uint8Array(32).fill(7) })

export function redact<R extends KubetapeRecord>(record: R): R {
	const result = redactor.redact(record)
	if (!('ok' in result)) throw new Error(JSON.stringify(result))
	return result.ok as unknown as R
}

/** A version of a widget, or of what is named. */
export function change(value: unknown, object = { ...secretRef, resource: 'widgets' }): Change {
	return aChange({ object, before: null, after: Body.ofText(JSON.stringify(value)) })
}

/** As `change`, of JSON as it is written. */
export function changeOf(text: string, object = { ...secretRef, resource: 'widgets' }): Change {
	return aChange({ object, before: null, after: Body.ofBytes(Buffer.from(text)) })
}

export function audit(entry: unknown, object = secretRef, subresource = ''): AuditEntry {
	return anAuditEntry({ object, subresource, body: Body.ofText(JSON.stringify(entry)) })
}

/** All that would be appended of the record, once it is redacted. */
export function appended(record: KubetapeRecord): string {
	return Buffer.from(encodeRecords([redact(record) as never])).toString('utf8')
}

/** As `audit`, of JSON as it is written; about something that is no Secret. */
export function entryOf(text: string): AuditEntry {
	return anAuditEntry({ object: { ...secretRef, resource: 'widgets' }, body: Body.ofBytes(Buffer.from(text)) })
}
