// The Kubernetes collector against an API server that misbehaves on demand.
import { expect, test } from 'vitest'
import { KubetapeError } from '#runtime/errors.ts'
import { isVersion } from './running.ts'
import {
	bookmark,
	cutOff,
	ended,
	gone,
	line,
	pod,
	readPositionOf,
	run,
	script,
	seen,
	status,
	stream,
	type Answer,
} from './scripted-server.ts'

test('410 as an ERROR event: a list, the difference, and a gap', async () => {
	const collector = run([
		stream(
			line('ADDED', pod('a', 5)),
			line('ADDED', pod('b', 6)),
			line('ADDED', pod('c', 7)),
			bookmark(10, true),
			line('MODIFIED', pod('a', 11)),
			gone,
		),
		stream(
			line('ADDED', pod('a', 11)),
			line('ADDED', pod('b', 15)),
			line('ADDED', pod('d', 16)),
			bookmark(20, true),
			line('MODIFIED', pod('d', 21)),
		),
	])
	await collector.until('the last one', () => seen(collector).includes('d@21 updated watch'))
	expect(seen(collector).slice(3)).toEqual([
		'a@11 updated watch',
		'b@15 updated gap',
		'd@16 created gap',
		'c@20 deleted gap',
		'd@21 updated watch',
	])
	expect(collector.gaps()).toMatchObject([
		{
			reason: 'relist',
			scope: 'pods',
			fromRevision: 12n,
			toRevision: 20n,
			touchedCount: 3,
			touched: ['pods/default/b', 'pods/default/d', 'pods/default/c'],
		},
	])
	expect(collector.versions().find(({ object, operation }) => object.name === 'c' && operation === 'deleted')).toMatchObject({
		beforeRevision: 7n,
		note: expect.stringContaining('gone'),
	})
})

test('a cut connection, 429 and a silent watch go on at the last resourceVersion', async () => {
	const collector = run(
		[
			cutOff(line('ADDED', pod('a', 5)), bookmark(10, true), line('MODIFIED', pod('a', 11)), '{"type":"MODI'),
			status(429, { 'Retry-After': '0' }),
			stream(bookmark(30)),
			ended(line('MODIFIED', pod('a', 31))),
			stream(line('DELETED', pod('a', 32))),
		],
		{ watchSilenceMs: 2000 },
	)
	await collector.until('the deletion', () => seen(collector).includes('a@32 deleted watch'))
	expect(seen(collector)).toEqual(['a@5 updated snapshot', 'a@11 updated watch', 'a@31 updated watch', 'a@32 deleted watch'])
	expect(script.asked.slice(1, 5).map((query) => query.get('resourceVersion'))).toEqual(['11', '11', '30', '31'])
	expect(collector.gaps()).toEqual([])
})

test('a garbled line is a reject, and the stream goes on', async () => {
	const collector = run([
		stream(bookmark(10, true), '{"type":"ADDED","obj\n', line('ADDED', { metadata: {} }), line('ADDED', pod('a', 11))),
	])
	await collector.until('the object', () => seen(collector).length === 1)
	expect(collector.records.filter(({ kind }) => kind === 'reject')).toMatchObject([
		{ step: 'kubernetes.decode', sizeBytes: 20 },
		{ reason: 'the object has no name' },
	])
})

test('lists in pages where they cannot be streamed; 410 on a page begins again; items get kind and apiVersion', async () => {
	const item = (name: string, revision: number): unknown => ({ metadata: pod(name, revision)['metadata'] })
	const page = (items: readonly unknown[], token: string): Answer =>
		ended(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '10', continue: token }, items }))
	const collector = run([
		status(422),
		page([item('a', 5)], 'more'),
		status(410),
		page([item('a', 5)], 'more'),
		page([item('b', 6)], ''),
		stream(line('ADDED', pod('c', 11))),
	])
	await collector.until('the watch', () => seen(collector).length === 3)
	expect(seen(collector)).toEqual(['a@5 updated snapshot', 'b@6 updated snapshot', 'c@11 created watch'])
	expect(collector.versions()[1]?.after?.text).toBe(JSON.stringify(pod('b', 6)))
	expect(script.asked[5]?.get('resourceVersion')).toBe('10')
	expect(collector.gaps()).toEqual([])
})

test('a restart goes on at the saved resourceVersion, with the object before', async () => {
	const lines = stream(line('ADDED', pod('a', 5)), bookmark(10, true))
	const first = run([lines])
	await first.until('the object', () => first.records.some(isVersion))
	await first.stop()
	const second = run([stream(line('MODIFIED', pod('a', 12)))])
	await second.until('the change', () => seen(second).length === 1)
	expect(second.versions()[0]).toMatchObject({ revision: 12n, beforeRevision: 5n, sighting: 'watch' })
	expect(script.asked.at(-1)?.get('resourceVersion')).toBe('10')
})

test('what could not be made durable is emitted again, from the cursor before it', async () => {
	let failures = 0
	const lines = [line('ADDED', pod('a', 5)), bookmark(10, true)]
	const collector = run([stream(...lines), stream(...lines)], {}, async () => {
		if (failures++ === 0) throw new KubetapeError('STORAGE_BUSY', 'not now')
	})
	await collector.until('the object', () => seen(collector).length === 1)
	expect(script.asked.slice(0, 2).map((query) => query.get('sendInitialEvents'))).toEqual(['true', 'true'])
})

test('a resource that may not be read is tried again later', async () => {
	const collector = run([status(403), status(403), stream(line('ADDED', pod('a', 5)), bookmark(10, true))], { deniedRetryMs: 100 })
	await collector.until('the object', () => seen(collector).length === 1)
	expect(script.asked).toHaveLength(3)
})

test('revisions that go back begin a new space: everything is listed in it, and it is a gap', async () => {
	script.heads = [10, 25, 8]
	const collector = run([
		stream(line('ADDED', pod('kept', 5)), line('ADDED', pod('changed', 6)), line('ADDED', pod('gone', 7)), bookmark(10, true)),
	])
	await collector.until('the list', () => seen(collector).length === 3)
	await collector.stop()
	const restored = { ...pod('changed', 6), spec: { nodeName: 'other' } }
	const second = run([
		ended(line('MODIFIED', pod('changed', 24))),
		stream(line('ADDED', pod('kept', 5)), line('ADDED', restored), bookmark(9, true), line('MODIFIED', pod('changed', 11))),
	])
	await second.until('the change after', () => seen(second).includes('changed@11 updated watch'))
	expect(seen(second)).toEqual([
		'changed@24 updated watch',
		'kept@5 updated gap',
		'changed@6 updated gap',
		'gone@9 deleted gap',
		'changed@11 updated watch',
	])
	expect(script.asked.map((query) => query.get('resourceVersion'))).toEqual([null, '10', null])
	const [gap] = second.gaps()
	expect(second.gaps()).toMatchObject([
		{
			reason: 'space-changed',
			fromRevision: null,
			toRevision: 9n,
			touched: ['pods/default/changed', 'pods/default/gone'],
			space: 'api-1-8',
		},
	])
	expect(second.versions().map(({ space }) => space)).toEqual(['main', ...Array.from({ length: 4 }, () => gap?.space)])
	expect(second.versions()[1]).toMatchObject({ before: null, beforeRevision: null })
	// A version of the new space is another one than that of the same revision before.
	expect(second.versions()[1]?.id).not.toBe(collector.versions()[0]?.id)
	await second.stop()
	script.heads = [11]
	const third = run([stream(line('MODIFIED', pod('changed', 12)))])
	await third.until('the change', () => seen(third).length === 1)
	expect(third.versions()[0]).toMatchObject({ space: 'api-1-8', beforeRevision: 11n })
})

test('a list in which nothing differs is a gap all the same, and says so; none where nothing was written since', async () => {
	const lists = [
		stream(line('ADDED', pod('a', 5)), bookmark(10, true), gone),
		stream(line('ADDED', pod('a', 5)), bookmark(10, true), gone),
		stream(line('ADDED', pod('a', 5)), bookmark(20, true)),
	]
	const collector = run(lists)
	await collector.until('the gap', () => collector.gaps().length === 1)
	expect(collector.gaps()).toMatchObject([{ scope: 'pods', fromRevision: 11n, toRevision: 20n, touchedCount: 0 }])
	expect(collector.gaps()[0]?.detail).toContain('nothing differed')
	expect(seen(collector)).toEqual(['a@5 updated snapshot'])
})

test('a gap that was not told yet when the collector ended is told by the next one', async () => {
	const first = run([stream(line('ADDED', pod('a', 5)), bookmark(10, true), gone), stream(line('ADDED', pod('a', 5)), bookmark(20, true))])
	await first.until('the second list', () => script.asked.length === 2)
	await first.until('its end', () => readPositionOf('pods').revision === '20')
	await first.stop()
	expect(first.gaps()).toEqual([])
	const second = run([stream()])
	await second.until('the gap', () => second.gaps().length === 1)
	expect(second.gaps()).toMatchObject([{ scope: 'pods', fromRevision: 11n, toRevision: 20n }])
})

test('a resource that comes later has a gap from when it was not there yet to its first list', async () => {
	const collector = run([stream(line('ADDED', pod('a', 5)), bookmark(10, true), line('MODIFIED', pod('a', 12)))], { discoveryMs: 100 })
	await collector.until('the pod', () => seen(collector).includes('a@12 updated watch'))
	script.resources.push({ name: 'podtemplates', kind: 'PodTemplate', namespaced: true, verbs: ['list', 'watch'] })
	script.answers = [stream(line('ADDED', { ...pod('t', 20), kind: 'PodTemplate' }), bookmark(22, true))]
	const gap = await collector.until('the gap', () => collector.gaps()[0])
	expect(gap).toMatchObject({ scope: 'podtemplates', reason: 'relist', toRevision: 22n, touched: ['podtemplates/default/t'] })
	expect([11n, 13n]).toContain(gap.fromRevision)
	expect(seen(collector)).toContain('t@20 created gap')
})
