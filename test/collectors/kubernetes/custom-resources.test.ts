// Custom resources whose definitions come and go while the Kubernetes collector looks, and while it does not.
import { expect, test } from 'vitest'
import { bookmark, line, pod, readPositionOf, run, script, seen, stream, type Answer, type Group } from './scripted-server.ts'

const verbs = ['list', 'watch']
const definitionsGroup: Group = {
	name: 'apiextensions.k8s.io',
	version: 'v1',
	resources: [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false, verbs }],
}
const tapesGroup: Group = { name: 'example.com', version: 'v1', resources: [{ name: 'tapes', kind: 'Tape', namespaced: true, verbs }] }
const definition = (revision: number): unknown => ({
	kind: 'CustomResourceDefinition',
	apiVersion: 'apiextensions.k8s.io/v1',
	metadata: { name: 'tapes.example.com', uid: 'd', resourceVersion: String(revision) },
	spec: { group: 'example.com', names: { plural: 'tapes', kind: 'Tape' }, scope: 'Namespaced', versions: [{ name: 'v1', storage: true }] },
})
const tape = (revision: number): unknown => ({ ...pod('one', revision), kind: 'Tape', apiVersion: 'example.com/v1' })

test('what is known of a custom resource whose definition went while nobody looked has gone with it', async () => {
	script.groups = [definitionsGroup, tapesGroup]
	script.resources = []
	const byPath: Record<string, Answer> = {
		customresourcedefinitions: stream(line('ADDED', definition(5)), bookmark(10, true)),
		tapes: stream(line('ADDED', tape(6)), bookmark(10, true)),
	}
	script.otherAnswers = byPath
	const first = run([])
	await first.until('both', () => seen(first).length === 2 && readPositionOf('tapes.example.com').revision === '10')
	await first.stop()
	script.groups = script.groups.slice(0, 1)
	byPath['customresourcedefinitions'] = stream(line('DELETED', definition(30)))
	const second = run([])
	await second.until('the object', () => seen(second).length === 2)
	expect(seen(second)).toEqual(['tapes.example.com@30 deleted watch', 'one@30 deleted gap'])
	const gap = await second.until('the gap', () => second.gaps()[0])
	expect(gap).toMatchObject({ scope: 'tapes.example.com', fromRevision: 11n, toRevision: 30n, touched: ['tapes.example.com/default/one'] })
	await second.stop()
	byPath['customresourcedefinitions'] = stream()
	const third = run([])
	await third.until('a look', () => script.asked.length > 3)
	await third.stop()
	expect(seen(third)).toEqual([])
})

test('a custom resource that is served for a while after its definition went has gone with it all the same', async () => {
	script.groups = [definitionsGroup, tapesGroup]
	script.resources = []
	let wentAway: (() => void) | undefined
	script.otherAnswers = {
		customresourcedefinitions: (_query, response) => {
			response.write(line('ADDED', definition(5)) + bookmark(10, true))
			wentAway = () => void response.write(line('DELETED', definition(30)))
		},
		// Its watch tells nothing of the end.
		tapes: stream(line('ADDED', tape(6)), bookmark(10, true)),
	}
	const collector = run([])
	await collector.until('both', () => seen(collector).length === 2 && readPositionOf('tapes.example.com').revision === '10')
	wentAway?.()
	await collector.until('the definition', () => seen(collector).includes('tapes.example.com@30 deleted watch'))
	const before = script.looks
	await collector.until('looks', () => script.looks > before + 1)
	script.groups = [definitionsGroup]
	await collector.until('the object', () => seen(collector).includes('one@30 deleted gap'))
	const gap = await collector.until('the gap', () => collector.gaps()[0])
	expect(gap).toMatchObject({ scope: 'tapes.example.com', fromRevision: 11n, toRevision: 30n, touched: ['tapes.example.com/default/one'] })
})

test('a custom resource whose definition came and went before anybody looked is told as a gap; one that nobody wants is not', async () => {
	const stay = (revision: number): unknown => ({
		...(definition(revision) as object),
		metadata: { name: 'unwanted.example.com', uid: 'u', resourceVersion: String(revision) },
		spec: {
			group: 'example.com',
			names: { plural: 'unwanted', kind: 'Unwanted' },
			scope: 'Cluster',
			versions: [{ name: 'v1', storage: true }],
		},
	})
	script.groups = [definitionsGroup]
	script.resources = []
	script.otherAnswers = { customresourcedefinitions: stream(bookmark(10, true)) }
	const config = { exclude: ['unwanted.example.com'] }
	const first = run([], config)
	await first.until('the list', () => readPositionOf('customresourcedefinitions.apiextensions.k8s.io').revision === '10')
	await first.stop()
	script.otherAnswers = {
		customresourcedefinitions: stream(
			line('ADDED', definition(20)),
			line('ADDED', stay(21)),
			line('DELETED', definition(30)),
			line('DELETED', stay(31)),
		),
	}
	const second = run([], config)
	const gap = await second.until('the gap', () => second.gaps()[0])
	expect(gap).toMatchObject({ scope: 'tapes.example.com', reason: 'relist', toRevision: 30n, touched: [] })
	expect([11n, 20n]).toContain(gap.fromRevision)
	await second.until('all', () => seen(second).length === 4)
	await second.stop()
	expect(second.gaps()).toHaveLength(1)
})

test('what a custom resource had before it was looked up is in its gap, though discovery came late', async () => {
	script.groups = [definitionsGroup]
	script.resources = []
	script.otherAnswers = { customresourcedefinitions: stream(bookmark(10, true)) }
	const first = run([])
	await first.until('the list', () => readPositionOf('customresourcedefinitions.apiextensions.k8s.io').revision === '10')
	await first.stop()
	// What is looked up does not know it yet, when much more has been seen.
	script.otherAnswers = {
		customresourcedefinitions: stream(line('ADDED', definition(20)), bookmark(50)),
		tapes: stream(line('ADDED', tape(25)), bookmark(60, true)),
	}
	const second = run([], { discoveryMs: 1000 })
	await second.until('the bookmark', () => readPositionOf('customresourcedefinitions.apiextensions.k8s.io').revision === '50')
	const before = script.looks
	await second.until('looks', () => script.looks > before + 1)
	script.groups = [definitionsGroup, tapesGroup]
	const gap = await second.until('the gap', () => second.gaps()[0])
	expect(gap).toMatchObject({ scope: 'tapes.example.com', toRevision: 60n, touched: ['tapes.example.com/default/one'] })
	expect([11n, 20n]).toContain(gap.fromRevision)
	await second.stop()
})
