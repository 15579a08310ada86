// No secret passes the redactor, wherever it stands; what holds none passes untouched.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadRedactionKey } from '#processors/redact/key.ts'
import { createRedactor } from '#processors/redact/step.ts'
import { Body } from '#records/body.ts'
import { encodeRecords } from '#records/codec.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { RecordLog } from '#storage/log/port.ts'
import { aChange, aLogLine, anAuditEntry, aReject } from '#test/support/records.ts'
import { appended, audit, base64, change, planted, redact, secretRef } from './support.ts'

const redactor = createRedactor({ key: new Uint8Array(32).fill(7) })
const bytesOf = appended
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${planted}`
const places: Readonly<Record<string, KubetapeRecord>> = {
	data: change({ kind: 'Secret', data: { a: base64 } }, secretRef),
	stringData: change({ kind: 'Secret', stringData: { a: planted } }),
	'odd spacing': aChange({
		object: { ...secretRef, resource: 'widgets' },
		before: null,
		after: Body.ofText(`{"kind" :\n "Secret", "data":{"a":"${base64}"}}`),
	}),
	'escaped kind': aChange({
		object: { ...secretRef, resource: 'widgets' },
		before: null,
		after: Body.ofText(`{"kind":"\\u0053ecret","data":{"a":"${base64}"}}`),
	}),
	list: change({ kind: 'SecretList', items: [{ metadata: { name: 'a' }, data: { a: base64 } }] }),
	'last applied': change({
		metadata: {
			annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ kind: 'Secret', stringData: { a: planted } }) },
		},
	}),
	'long env name': change({ env: [{ name: `${'A'.repeat(200)}_PASSWORD`, value: planted }] }),
	header: change({ httpHeaders: [{ name: 'Authorization', value: planted }] }),
	flag: change({ args: ['--db-password', planted] }),
	'flag with =': change({ args: [`--db-password=${planted}`] }),
	field: change({ spec: { adminPassword: planted } }),
	url: change({ spec: { dsn: `postgres://app:${planted}@db:5432/x` } }),
	'url with @': change({ spec: { dsn: `postgres://app:p@${planted}@db:5432/x` } }),
	'bearer behind a tab': change({ spec: { text: `Bearer\t${planted}` } }),
	jwt: change({ spec: { text: `a ${jwt} b` } }),
	pem: change({ spec: { text: `-----BEGIN EC PRIVATE KEY-----\n${planted}\n-----END EC PRIVATE KEY-----` } }),
	'merge patch': audit({ requestObject: { data: { a: base64 } } }),
	'json patch': audit({
		requestObject: [
			{ op: 'add', path: '/data/a', value: base64 },
			{ op: 'add', path: '/stringData', value: { a: planted } },
		],
	}),
	'listed secrets': audit({ responseObject: { items: [{ data: { a: base64 } }] } }, { ...secretRef, name: '' }),
	'token request': audit({ responseObject: { status: { token: planted } } }, { ...secretRef, resource: 'serviceaccounts' }, 'token'),
	'token review': audit(
		{ requestObject: { kind: 'TokenReview', spec: { token: planted } } },
		{ resource: 'tokenreviews', group: 'authentication.k8s.io', namespace: '', name: '' },
	),
	'user agent': anAuditEntry({ userAgent: `curl Bearer ${planted}` }),
	uri: anAuditEntry({ requestURI: `/api?access_token=${planted}` }),
	log: aLogLine({ text: `login with password="${planted}" x` }),
	'embedded json': aLogLine({ text: JSON.stringify({ text: JSON.stringify({ password: `two words ${planted}` }) }) }),
	'parser message': aReject({ reason: `Unexpected token 'x', "{${planted}" is not valid JSON` }),
}

describe('redaction', () => {
	it.each(Object.keys(places))('lets nothing through: %s', (place) => {
		const record = places[place] ?? aChange()
		const bytes = bytesOf(record)
		expect([bytes.includes(planted), bytes.includes(base64)]).toEqual([false, false])
		// The record is still there, with a mark in the place of the secret, and it had one before.
		expect(bytes).toMatch(place === 'parser message' ? /"reason":"Unexpected token it is not valid JSON"/ : /kubetape:/)
		expect(bytes).toContain(record.id)
		const before = Buffer.from(encodeRecords([record as never])).toString('utf8')
		expect(before.includes(planted) || before.includes(base64)).toBe(true)
	})

	it.each([
		{ env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] },
		{
			volumes: [
				{ secret: { secretName: 'db' } },
				{ projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] } },
			],
		},
		{
			env: [
				{ name: 'TOKEN_FILE', value: '/run/token' },
				{ name: 'SECRET_NAME', value: 'db' },
			],
			args: ['--token', '$(TOKEN)', '--secret-name', 'db'],
		},
		{ ref: { kind: 'Secret', name: 'db' }, data: { a: 'b' } },
		{ text: 'password:\n  valueFrom: x', image: 'registry:5000/a@sha256:00', password: '${DB_PASSWORD}' },
	])('keeps the very Body where nothing is secret: %j', (value) => {
		const record = change(value)
		expect(redact(record).after).toBe(record.after)
	})

	it('is idempotent', () => {
		const once = redact(places['url'] ?? aChange())
		expect(bytesOf(once)).toBe(Buffer.from(encodeRecords([once as never])).toString('utf8'))
	})

	it('rejects what is nested too deeply or no JSON, without quoting it', () => {
		const deep = `{"kind":"Secret","x":${'['.repeat(5000)}${']'.repeat(5000)}}`
		expect(redactor.redact(aChange({ before: null, after: Body.ofText(deep) }))).toHaveProperty('reject')
		const bad = redactor.redact(aChange({ object: secretRef, before: null, after: Body.ofText(`{${planted}`) }))
		expect(JSON.stringify(bad)).toContain('reject')
		expect(JSON.stringify(bad)).not.toContain(planted)
	})

	const marks = [
		'eyJ',
		'-eyJ',
		'eyJaaaaaaaa.',
		'a://',
		'a://a:',
		'-----BEGIN A ',
		'Bearer ',
		'password',
		'password: ',
		'"name":"',
		'a.',
		'\\',
		'-a.',
		'--token ',
	]
	// Behind a Secret, parsers and what looks at lines get to see them.
	const behindSecret = ['\\', '<<: *a\n', 'a: &a [*a,*a]\n', '|\n', '[', '{a: ', '{{ secret }}\n', '"data":{', 'a: ', ' ', '# secret\n']
	it.each([...marks, ...behindSecret.map((part) => `kind: Secret\n${part}`)])(
		'does not hang on long text of %j',
		(part) => {
			const repeated = part.replace('kind: Secret\n', '')
			const begin = part.slice(0, part.length - repeated.length)
			for (const size of [30_000, 200_000]) {
				const text = begin + repeated.repeat(Math.ceil(size / repeated.length))
				expect(redact(aLogLine({ text })).kind).toBe('log')
				expect(redact(change({ text })).kind).toBe('change')
			}
			// Many of them: what one body may cost is bounded too.
			const many = Array.from({ length: 20 }, () => begin + repeated.repeat(Math.ceil(30_000 / repeated.length)))
			expect(redact(change({ many })).kind).toBe('change')
		},
		10_000,
	)

	it('is the only way into the record log, by type', () => {
		const wrong = (log: RecordLog): Promise<void> =>
			// @ts-expect-error a record that was not redacted
			log.append('records', [aChange()])
		expect(wrong).toBeTypeOf('function')
	})
})

describe('the key of the hashes', () => {
	it('is made once, for its owner only', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'kubetape-key-'))
		try {
			const path = join(folder, 'sub', 'key')
			const key = await loadRedactionKey(path)
			expect(key.length).toBe(32)
			expect(statSync(path).mode & 0o777).toBe(0o600)
			expect(await loadRedactionKey(path)).toEqual(key)
		} finally {
			rmSync(folder, { recursive: true })
		}
	})
})
