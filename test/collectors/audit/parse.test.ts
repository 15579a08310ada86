// One audit line: fields, both API versions, what is set aside.
import { describe, expect, it } from 'vitest'
import { parseAuditLine } from '#collectors/audit/parse.ts'
import { parseTime } from '#records/time.ts'

const context = { cluster: 'c', source: 'audit', observedAt: 5, where: 'audit.log:0' }
const event = {
	kind: 'Event',
	apiVersion: 'audit.k8s.io/v1',
	level: 'RequestResponse',
	auditID: 'id-1',
	stage: 'ResponseComplete',
	requestURI: '/api/v1/namespaces/shop/pods/web/eviction?dryRun=All&fieldManager=kubectl',
	verb: 'create',
	user: { username: 'ann', groups: ['a', 'b'] },
	impersonatedUser: { username: 'root' },
	sourceIPs: ['192.0.2.1', '192.0.2.2'],
	userAgent: 'kubectl/v1.36',
	objectRef: { resource: 'pods', namespace: 'shop', name: 'web', subresource: 'eviction', apiVersion: 'v1' },
	responseStatus: { code: 201, details: { uid: 'u-details' } },
	requestReceivedTimestamp: '2026-01-02T03:04:05.000001Z',
	stageTimestamp: '2026-01-02T03:04:05.000009Z',
	annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': 'because', 'audit.k8s.io/truncated': 'true' },
}
const parsed = (changes: object): ReturnType<typeof parseAuditLine> => parseAuditLine(JSON.stringify({ ...event, ...changes }), context)

describe('parseAuditLine', () => {
	it('reads the fields and keeps the line as it is', () => {
		const line = `  ${JSON.stringify(event)} `
		const entry = parseAuditLine(Buffer.from(line), context)
		expect(entry).toMatchObject({
			kind: 'audit',
			auditID: 'id-1',
			stage: 'ResponseComplete',
			verb: 'create',
			user: 'ann',
			groups: ['a', 'b'],
			impersonated: 'root',
			sourceIPs: ['192.0.2.1', '192.0.2.2'],
			object: { resource: 'pods', group: '', namespace: 'shop', name: 'web' },
			subresource: 'eviction',
			code: 201,
			decision: 'allow',
			reason: 'because',
			dryRun: true,
			responseRevision: null,
			responseUid: 'u-details',
			truncated: true,
			occurredAt: parseTime(event.stageTimestamp),
			occurredBound: 0,
			observedAt: 5,
			requestReceivedAt: parseTime(event.requestReceivedTimestamp),
		})
		expect(entry.kind === 'audit' && entry.body.text).toBe(line)
	})

	it('takes name, revision and uid from the answer where the request does not tell', () => {
		const responseObject = { kind: 'Pod', metadata: { name: 'made', uid: 'u-1', resourceVersion: '77' } }
		expect(parsed({ requestURI: '/x', objectRef: { resource: 'pods', namespace: 'shop' }, responseObject })).toMatchObject({
			object: { name: 'made' },
			responseRevision: 77n,
			responseUid: 'u-1',
			dryRun: false,
		})
		expect(parsed({ objectRef: undefined })).toMatchObject({ object: null, subresource: '' })
		expect(parsed({ objectRef: { resource: 'namespaces', namespace: 'shop', name: 'shop' } })).toMatchObject({
			object: { namespace: '', name: 'shop' },
		})
	})

	it('reads v1beta1 and every stage, each with an id of its own that does not depend on the reading', () => {
		const ids = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'].map((stage) =>
			parsed({ stage, apiVersion: 'audit.k8s.io/v1beta1' }),
		)
		expect(ids.map((entry) => entry.kind)).toEqual(['audit', 'audit', 'audit', 'audit'])
		expect(new Set(ids.map((entry) => entry.id)).size).toBe(4)
		expect(parseAuditLine(JSON.stringify(event), { ...context, observedAt: 99 }).id).toBe(parsed({}).id)
	})

	it.each([
		['other kinds', { kind: 'Pod' }],
		['other versions', { apiVersion: 'audit.k8s.io/v2' }],
		['no auditID', { auditID: '' }],
		['an unknown stage', { stage: 'Later' }],
		['no time', { stageTimestamp: 'yesterday' }],
	])('sets aside %s with a hash and without the bytes', (_, changes) => {
		const reject = parsed({ ...changes, secret: 'hunter2' })
		expect(reject).toMatchObject({
			kind: 'reject',
			step: 'audit.parse',
			where: 'audit.log:0',
			sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
		})
		expect(JSON.stringify(reject)).not.toContain('hunter2')
	})

	it('sets aside what is nested too deep, and not what only looks so', () => {
		const deep = JSON.stringify(event).replace('"level"', `"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},"level"`)
		expect(parseAuditLine(deep, context)).toMatchObject({ kind: 'reject', reason: expect.stringContaining('nested') })
		expect(parsed({ requestObject: '{"['.repeat(1000) }).kind).toBe('audit')
	})
})
