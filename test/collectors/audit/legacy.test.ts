// The text form of the audit log, as the API server's EventString writes it, read back.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAuditLine } from '#collectors/audit/parse.ts'
import { parseTime } from '#records/time.ts'

const context = { cluster: 'c', source: 'audit', observedAt: 5, where: 'audit.log:0' }
const line = (fields: Readonly<Record<string, string>> = {}): string => {
	const all = {
		id: '8e1f2d3c-0000-4000-8000-000000000001',
		stage: 'ResponseComplete',
		ip: '192.0.2.7',
		method: 'patch',
		user: 'alice',
		groups: '\\"platform-admins\\",\\"system:authenticated\\"',
		as: '<self>',
		asgroups: '<lookup>',
		'user-agent': 'kubectl/v1.36.3 (linux/amd64) kubernetes/abc',
		namespace: 'shop',
		uri: '/apis/apps/v1/namespaces/shop/deployments/checkout/scale?fieldManager=kubectl&dryRun=All',
		response: '200',
		...fields,
	}
	const text = Object.entries(all).map(([name, value]) => `${name}="${value}"`)
	return `2026-11-24T12:13:14.000015+01:00 AUDIT: ${text.join(' ')}`
}

describe('the legacy form', () => {
	it('is read as far as it goes, and says what it does not have', () => {
		const entry = parseAuditLine(Buffer.from(line()), context)
		expect(entry).toMatchObject({
			kind: 'audit',
			auditID: '8e1f2d3c-0000-4000-8000-000000000001',
			stage: 'ResponseComplete',
			verb: 'patch',
			user: 'alice',
			groups: ['platform-admins', 'system:authenticated'],
			impersonated: '',
			sourceIPs: ['192.0.2.7'],
			userAgent: 'kubectl/v1.36.3 (linux/amd64) kubernetes/abc',
			object: { resource: 'deployments', group: 'apps', namespace: 'shop', name: 'checkout' },
			subresource: 'scale',
			code: 200,
			dryRun: true,
			level: '',
			occurredAt: parseTime('2026-11-24T11:13:14.000015Z'),
			truncated: false,
		})
		expect(entry.kind === 'audit' && entry.missing).toEqual(expect.arrayContaining(['stageTimestamp', 'responseObject', 'annotations']))
		expect(entry.kind === 'audit' && entry.body.value).toMatchObject({
			kind: 'Event',
			objectRef: { apiGroup: 'apps', subresource: 'scale' },
		})
	})

	it('reads who was impersonated, and what is not told as not told', () => {
		const early = line({
			stage: 'RequestReceived',
			as: 'root',
			asgroups: '\\"system:masters\\"',
			user: '<none>',
			groups: '<none>',
			ip: '<unknown>',
			response: '<deferred>',
		})
		expect(parseAuditLine(early, context)).toMatchObject({
			impersonated: 'root',
			user: '',
			groups: [],
			sourceIPs: [],
			code: 0,
			stage: 'RequestReceived',
		})
	})

	it('finds the object that the path names', () => {
		const objectOf = (uri: string): unknown => {
			const entry = parseAuditLine(line({ uri }), context)
			return entry.kind === 'audit' ? entry.object && Object.values(entry.object).join('/') : entry
		}
		expect(objectOf('/healthz?verbose')).toBeNull()
		expect(objectOf('/apis/apps/v1')).toBeNull()
		expect(objectOf('/api/v1/nodes/node-a')).toBe('nodes///node-a')
		expect(objectOf('/api/v1/namespaces/shop')).toBe('namespaces///shop')
		expect(objectOf('/api/v1/namespaces/shop/finalize')).toBe('namespaces///shop')
		expect(objectOf('/api/v1/namespaces/shop/pods?limit=500')).toBe('pods//shop/')
		expect(objectOf('/api/v1/watch/namespaces/shop/pods/a%3Ab')).toBe('pods//shop/a:b')
	})

	it('reads what Go quotes', () => {
		expect(parseAuditLine(line({ 'user-agent': 'a\\"b\\\\c\\t\\u00e9\\U0001f600\\x00\\xff é' }), context)).toMatchObject({
			userAgent: 'a"b\\c\té\u{1f600}\0\ufffd é',
		})
	})

	it('sets aside a line that is cut off, and never throws', () => {
		const whole = line()
		fc.assert(
			fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (end) => {
				const record = parseAuditLine(whole.slice(0, end), context)
				// A line that ends behind a field is whole as far as can be told, but for the fields that make an entry.
				if (record.kind === 'audit') expect(record.auditID).toBe('8e1f2d3c-0000-4000-8000-000000000001')
			}),
		)
		expect(parseAuditLine(whole.slice(0, -1), context)).toMatchObject({ kind: 'reject', reason: 'the line is not JSON' })
	})
})
