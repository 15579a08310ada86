// Sentences about changes as people say them, and how alarming they are.
import { describe, expect, it } from 'vitest'
import { describeChange } from '#history/describe.ts'
import { demoVersions } from './demo.ts'

const say = (kind: string, before: Record<string, unknown>, after: Record<string, unknown>) =>
	describeChange(kind, 'updated', before, after)
const deployment = (image: string, replicas: number) => ({
	kind: 'Deployment',
	spec: { replicas, template: { spec: { containers: [{ name: 'web', image }] } } },
})
const condition = (status: string, reason: string) => ({
	status: { conditions: [{ type: 'Ready', status, reason, lastHeartbeatTime: reason }] },
})

describe('a change in one sentence', () => {
	it('tells image and replicas', () => {
		const found = say('Deployment', deployment('shop/web:1.4', 3), deployment('shop/web:1.5', 5))
		expect(found.summary.split(', ').toSorted()).toEqual(['image web 1.4 → 1.5', 'replicas 3 → 5'])
		expect(found).toMatchObject({ severity: 'normal', facets: ['spec'], images: ['shop/web:1.5'] })
		expect(found.paths).toContain('spec.template.spec.containers[web].image')
	})

	it('tells the value of a ConfigMap, and of a Secret the key only', () => {
		const [before, after] = [{ data: { PAYMENT_TIMEOUT: '5s' } }, { data: { PAYMENT_TIMEOUT: '500ms' } }]
		expect(say('ConfigMap', before, after).summary).toBe('PAYMENT_TIMEOUT 5s → 500ms')
		expect(say('Secret', before, after).summary).toBe('PAYMENT_TIMEOUT changed')
	})

	it('never shows the hash of a redacted setting', () => {
		const env = (value: string) => ({ spec: { containers: [{ name: 'web', env: [{ name: 'DB_PASSWORD', value }] }] } })
		expect(say('Pod', env('kubetape:hmac:01'), env('kubetape:hmac:02')).summary).toBe('env DB_PASSWORD of web changed')
	})

	it('warns of a crash loop', () => {
		const pod = (state: object) => ({ status: { containerStatuses: [{ name: 'web', state }] } })
		expect(say('Pod', pod({ running: {} }), pod({ waiting: { reason: 'CrashLoopBackOff' } }))).toMatchObject({
			summary: 'container web waiting: CrashLoopBackOff',
			severity: 'warning',
		})
	})

	it('tells cordoning and a Node that is lost', () => {
		expect(say('Node', { spec: {} }, { spec: { unschedulable: true } }).summary).toBe('cordoned')
		const lost = say('Node', condition('True', 'KubeletReady'), condition('Unknown', 'NodeStatusUnknown'))
		expect(lost).toMatchObject({ summary: 'Ready True → Unknown (NodeStatusUnknown)', severity: 'error' })
	})

	it('counts the addresses behind a Service', () => {
		const slice = (...ready: boolean[]) => ({ endpoints: ready.map((value) => ({ conditions: { ready: value } })) })
		expect(say('EndpointSlice', slice(false, false), slice(true, false)).summary).toBe('ready addresses 0 → 1, not ready 2 → 1')
	})

	it('says so where nothing differs', () => {
		expect(say('ConfigMap', { data: {} }, { data: {} }).summary).toBe('written again without a change')
	})

	it('is short and never empty for every version of the recorded incident', () => {
		const records = demoVersions()
		expect(records.length).toBe(2817)
		for (const record of records) {
			const { summary } = describeChange(record.objectKind, record.operation, record.before?.object ?? null, record.after?.object ?? null)
			expect(summary).not.toBe('')
			expect(summary.length).toBeLessThan(700)
			expect(summary).not.toMatch(/undefined|\[object/)
		}
		const edit = records.find((record) => record.object.name === 'checkout-config' && record.operation === 'updated')
		expect(describeChange('ConfigMap', 'updated', edit?.before?.object ?? null, edit?.after?.object ?? null).summary).toContain(
			'PAYMENT_TIMEOUT 5s → 500ms',
		)
	})
})
