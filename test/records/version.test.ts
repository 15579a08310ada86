// Records of object versions: changes, and cluster events of both Event APIs.
import { describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import { createCatalog } from '#records/catalog.ts'
import { versionId } from '#records/id.ts'
import { parseTime } from '#records/time.ts'
import { makeVersion, readEvent } from '#records/version.ts'
import { aChange, testBegin } from '#test/support/records.ts'

const catalog = createCatalog()
const event = { resource: 'events', group: '', namespace: 'shop', name: 'web.1' }
const input = (overrides: Parameters<typeof aChange>[0]): Omit<ReturnType<typeof aChange>, 'kind' | 'id'> => {
	const { kind: _kind, id: _id, ...rest } = aChange(overrides)
	return rest
}

describe('versions', () => {
	it('an object is a change, with the id of its key and revision', () => {
		const record = makeVersion(input({ revision: 7n }), catalog)
		expect(record).toMatchObject({ kind: 'change', id: versionId('test', 'main', 'pods/shop/web-0', 7n) })
	})

	it('an Event seen in either group is one cluster event with one id', () => {
		const after = Body.ofValue({ involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' }, reason: 'Killing' })
		const core = makeVersion(input({ object: event, after }), catalog)
		const newer = makeVersion(input({ object: { ...event, group: 'events.k8s.io' }, after }), catalog)
		expect(core.kind).toBe('event')
		expect(newer.id).toBe(core.id)
		expect(newer.object).toEqual(core.object)
	})

	it('events of another group are changes', () => {
		expect(makeVersion(input({ object: { ...event, group: 'example.com' } }), catalog).kind).toBe('change')
	})

	it('a deleted Event is read from what it was', () => {
		const before = Body.ofValue({ reason: 'Pulled', involvedObject: { kind: 'Pod', apiVersion: 'v1', name: 'web' } })
		expect(makeVersion(input({ object: event, operation: 'deleted', before, after: null }), catalog)).toMatchObject({
			kind: 'event',
			reason: 'Pulled',
		})
	})
})

describe('readEvent', () => {
	it('reads core/v1', () => {
		const involvedObject = {
			apiVersion: 'v1',
			kind: 'Node',
			namespace: 'ignored',
			name: 'n1',
			uid: 'u',
			resourceVersion: '55',
			fieldPath: 'spec',
		}
		const times = { firstTimestamp: '2026-11-23T10:00:00Z', lastTimestamp: '2026-11-23T10:05:00Z' }
		expect(
			readEvent(
				{
					involvedObject,
					reason: 'NodeNotReady',
					message: 'm',
					type: 'Warning',
					count: 4,
					source: { component: 'node-controller' },
					...times,
				},
				catalog,
				1,
			),
		).toEqual({
			reason: 'NodeNotReady',
			message: 'm',
			type: 'Warning',
			count: 4,
			reporter: 'node-controller',
			regarding: { resource: 'nodes', group: '', namespace: '', name: 'n1', kind: 'Node', uid: 'u', revision: 55n, fieldPath: 'spec' },
			firstAt: testBegin,
			lastAt: testBegin + 300_000_000,
		})
	})

	it('reads events.k8s.io/v1, whose series says how often and until when', () => {
		const body = {
			regarding: { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'shop', name: 'web' },
			note: 'n',
			eventTime: '2026-11-23T10:00:00.000001Z',
			series: { count: 9, lastObservedTime: '2026-11-23T10:01:00.000000Z' },
			reportingController: 'replicaset-controller',
			deprecatedCount: 2,
		}
		expect(readEvent(body, catalog, 1)).toMatchObject({
			message: 'n',
			count: 9,
			reporter: 'replicaset-controller',
			regarding: { resource: 'replicasets', group: 'apps', revision: null },
			firstAt: testBegin + 1,
			lastAt: testBegin + 60_000_000,
		})
	})

	it('a kind that is not known has no resource; missing and wrong fields are empty; without a time the given one is used', () => {
		const read = readEvent(
			{
				involvedObject: { kind: 'Widget', apiVersion: 'example.com/v1', name: 'w', resourceVersion: 'x' },
				reason: 3,
				count: -1,
				lastTimestamp: null,
			},
			catalog,
			42,
		)
		expect(read).toMatchObject({
			reason: '',
			message: '',
			count: 1,
			regarding: { resource: '', group: '', kind: 'Widget', revision: null },
			firstAt: 42,
			lastAt: 42,
		})
		expect(readEvent({}, catalog, 42).regarding.name).toBe('')
		expect(readEvent({ metadata: { creationTimestamp: '2026-11-23T10:00:00Z' } }, catalog, 42).lastAt).toBe(
			parseTime('2026-11-23T10:00:00Z'),
		)
	})
})
