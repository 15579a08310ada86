// What stands out: warnings with what came before them, refusals, touched access, and writes that no request explains.
import { describe, expect, it } from 'vitest'
import { actsOf } from '#dashboards/web/src/acts.ts'
import { accessOf, breakagesOf, refusalsOf, unrequestedOf } from '#dashboards/web/src/findings.ts'
import { oneEachRequest, requestsOf } from '#dashboards/web/src/items.ts'
import { lanesOf } from '#dashboards/web/src/lanes.ts'
import { changeAt, objectAt, requestAt } from './items.ts'

const checkout = 'deployments.apps/shop/checkout'
const owners = [
	{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'checkout-1', uid: 'r' },
	{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout', uid: 'd' },
]
const crash = (second: number) =>
	changeAt(second, 'pods/shop/checkout-1-a', {
		objectKind: 'Pod',
		owners,
		severity: 'warning',
		facets: ['status'],
		summary: 'container checkout waiting: CrashLoopBackOff',
	})
const always = Number.NEGATIVE_INFINITY

describe('requests', () => {
	it('are one record each, by the stage that says how they ended, however the stages are ordered', () => {
		const stage = (second: number, name: string, auditID = 'one', requestReceived = 'at first') =>
			requestAt(second, checkout, { auditID, stage: name, requestReceived }, { id: `${auditID} ${name} ${second}` })
		const running = [stage(2, 'ResponseStarted', 'watch'), stage(1, 'RequestReceived', 'watch')]
		const ended = [stage(3, 'RequestReceived'), stage(5, 'ResponseComplete'), stage(4, 'ResponseStarted')]
		// A client may choose the Audit-ID, and choose it twice.
		const again = stage(9, 'ResponseComplete', 'one', 'later')
		const change = changeAt(6, checkout)
		expect(oneEachRequest([again, change, ...ended, ...running])).toEqual([again, change, ended[1], running[0]])
		expect(requestsOf([change, ...ended.toReversed()])).toEqual([ended[1]])
	})
})

describe('what went wrong', () => {
	it('gathers warnings under the topmost owner, with its last wanted change and what people did beside it', () => {
		const items = [
			changeAt(0, checkout, { summary: 'too long ago' }),
			changeAt(700, checkout, { summary: 'image v1 → v2' }),
			requestAt(700, checkout, { user: 'ci' }),
			changeAt(690, 'configmaps/shop/settings', { objectKind: 'ConfigMap', facets: ['data'], summary: 'TIMEOUT 5s → 1s' }),
			requestAt(690, 'configmaps/shop/settings', { user: 'bob' }),
			changeAt(691, 'configmaps/other/settings', { objectKind: 'ConfigMap', facets: ['data'] }),
			requestAt(691, 'configmaps/other/settings', { user: 'bob' }),
			crash(705),
			crash(720),
			changeAt(730, checkout, { summary: 'after it' }),
		]
		const [found, ...others] = breakagesOf(items)
		expect(others).toEqual([])
		expect(found).toMatchObject({
			kind: 'Deployment',
			namespace: 'shop',
			name: 'checkout',
			count: 2,
			reasons: [{ reason: 'CrashLoopBackOff', count: 2 }],
			before: { summary: 'image v1 → v2' },
			nearby: [{ summary: 'TIMEOUT 5s → 1s' }],
		})
	})

	it('puts first what a person changed before, in order of time, then the rest by number', () => {
		const warn = (second: number, key: string) => changeAt(second, key, { severity: 'warning', facets: ['status'] })
		const items = [
			...[1, 2, 3].map((second) => warn(second, 'deployments.apps/a/noisy')),
			warn(4, 'deployments.apps/a/quiet'),
			changeAt(10, 'deployments.apps/a/second'),
			requestAt(10, 'deployments.apps/a/second'),
			warn(20, 'deployments.apps/a/second'),
			changeAt(5, 'deployments.apps/a/first'),
			requestAt(5, 'deployments.apps/a/first'),
			warn(6, 'deployments.apps/a/first'),
		]
		expect(breakagesOf(items).map(({ name }) => name)).toEqual(['first', 'second', 'noisy', 'quiet'])
	})
})

describe('writes without a request', () => {
	it('are changes around whose time nobody successfully wrote the object or its collection', () => {
		const explained = [
			changeAt(100, checkout),
			requestAt(101, checkout, { responseRevision: null }),
			changeAt(200, 'pods/shop/a', { operation: 'deleted' }),
			requestAt(200, 'pods/shop/', { verb: 'deletecollection', responseRevision: null }),
			changeAt(300, 'pods/shop/generated-x', { operation: 'created' }),
			requestAt(300, 'pods/shop/', { verb: 'create' }),
		]
		const around = [
			changeAt(400, 'clusterrolebindings.rbac.authorization.k8s.io/-/ops', { operation: 'created' }),
			requestAt(400, 'clusterrolebindings.rbac.authorization.k8s.io/-/ops', { code: 403 }),
			requestAt(400, 'clusterrolebindings.rbac.authorization.k8s.io/-/ops', { verb: 'get' }),
			requestAt(400, 'clusterrolebindings.rbac.authorization.k8s.io/-/ops', { verb: 'update', dryRun: true }),
			requestAt(420, 'clusterrolebindings.rbac.authorization.k8s.io/-/ops', { verb: 'delete' }),
		]
		const items = [...explained, ...around]
		expect(unrequestedOf(items, always).items.map(({ object }) => object?.name)).toEqual(['ops'])
		// Before what is held, a request may only not be loaded.
		expect(unrequestedOf(items, Date.parse(around[0]?.time ?? '') - 1000).items).toEqual([])
	})

	it('are not told where no requests are recorded, nor of snapshots, nor of the keys of the API server itself', () => {
		const request = requestAt(1, checkout)
		expect(unrequestedOf([changeAt(50, checkout), changeAt(900, checkout)], always)).toEqual({ items: [], unrecorded: [] })
		expect(
			unrequestedOf(
				[
					request,
					changeAt(50, 'pods/shop/a', { sighting: 'snapshot' }),
					changeAt(50, 'masterleases/-/10.0.0.1'),
					changeAt(60, 'pods/shop/b'),
					requestAt(900, checkout),
				],
				always,
			).items.map(({ object }) => object?.name),
		).toEqual(['b'])
	})
})

describe('requests that come late', () => {
	const around = changeAt(100, 'pods/shop/a')

	it('are waited for: a change newer than the newest request is not judged yet', () => {
		expect(unrequestedOf([requestAt(50, checkout), around], always).items).toEqual([])
		expect(unrequestedOf([requestAt(50, checkout), around, requestAt(110, checkout, { verb: 'get' })], always).items).toEqual([around])
	})

	it('are not waited for without end: an audit log that stopped hides nothing', () => {
		expect(unrequestedOf([requestAt(50, checkout), around, changeAt(300, checkout, { kind: 'event' })], always).items).toEqual([around])
	})
})

describe('resources whose requests are not recorded', () => {
	it('are named instead of each of their changes', () => {
		const pods = Array.from({ length: 20 }, (_, index) => changeAt(100 + 20 * index, `pods/shop/p${index}`, { facets: ['status'] }))
		const items = [
			requestAt(1, checkout),
			requestAt(100, 'pods/shop/p0'),
			...pods,
			changeAt(900, 'secrets/pay/key'),
			requestAt(1000, checkout),
		]
		const found = unrequestedOf(items, always)
		expect(found.items.map(({ object }) => object?.name)).toEqual(['key'])
		expect(found.unrecorded).toEqual([{ resource: 'pods', count: 19 }])
	})
})

describe('people', () => {
	it('are told when they were refused, once per request and not for the control plane', () => {
		const items = [
			requestAt(1, 'secrets/pay/key', { user: 'bob', verb: 'get', code: 403 }),
			requestAt(2, 'secrets/pay/key', { user: 'bob', verb: 'list', code: 403, auditID: 'twice', stage: 'ResponseStarted' }),
			requestAt(2, 'secrets/pay/key', { user: 'bob', verb: 'list', code: 403, auditID: 'twice' }),
			requestAt(3, 'pods/shop/a', { user: 'system:kube-scheduler', code: 403 }),
			requestAt(4, 'pods/shop/a', { user: 'alice', code: 409 }),
		]
		expect(refusalsOf(items).map((refusal) => [refusal.user, refusal.items.length, refusal.what])).toEqual([
			['bob', 2, ['get secrets pay/key', 'list secrets pay/key']],
		])
	})

	it('are told when they touched roles, Secrets or containers, as whom they acted', () => {
		const items = [
			requestAt(1, 'clusterrolebindings.rbac.authorization.k8s.io/-/all', { verb: 'create' }),
			requestAt(2, 'pods/shop/a', { verb: 'create', subresource: 'exec', impersonated: 'root' }),
			requestAt(3, 'secrets/pay/key', { verb: 'get' }),
			requestAt(4, 'secrets/pay/key', { verb: 'patch', dryRun: true }),
			requestAt(5, 'configmaps/shop/c', { verb: 'patch' }),
		]
		expect(accessOf(items).map(({ user, what }) => [user, what])).toEqual([
			['alice', ['create clusterrolebindings all', 'get secrets pay/key']],
			['root', ['create pods/exec shop/a']],
		])
	})

	it('have acts with what came of them; a burst is one act; an answer with an old revision wrote nothing', () => {
		const items = [
			changeAt(10, checkout, { summary: 'image v1 → v2' }),
			requestAt(10, checkout),
			requestAt(30, checkout, { responseRevision: '110' }),
			...[40, 41, 42, 43].map((second) => requestAt(second, `configmaps/shop/c${second}`, { verb: 'create' })),
			requestAt(50, checkout, { user: 'system:kube-controller-manager' }),
			requestAt(60, checkout, { verb: 'get' }),
			requestAt(70, checkout, { dryRun: true }),
		]
		expect(actsOf(items).map(({ count, change }) => [count, change?.summary])).toEqual([
			[1, 'image v1 → v2'],
			[1, undefined],
			[4, undefined],
		])
	})
})

describe('lanes', () => {
	it('stand by owner, the workload first, and the group where most happened on top', () => {
		const service = changeAt(1, 'services/shop/checkout', { objectKind: 'Service' })
		const lanes = lanesOf([
			crash(3),
			changeAt(2, checkout),
			service,
			changeAt(1, 'configmaps/shop/quiet', { objectKind: 'ConfigMap' }),
			{ ...changeAt(1, 'pods/shop/nameless'), object: { ...objectAt('pods/shop/x'), key: '' } },
		])
		expect(lanes.map(({ key, head, warnings }) => [key, head, warnings])).toEqual([
			[checkout, true, 0],
			['pods/shop/checkout-1-a', false, 1],
			['services/shop/checkout', false, 0],
			['configmaps/shop/quiet', true, 0],
		])
	})
})
