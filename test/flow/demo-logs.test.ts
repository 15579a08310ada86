// The logs of the recorded incident: searched in the timeline, told by their Pods, and printed as kubectl would have printed them.
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireItem, WirePage } from '#api/wire.ts'
import { readTar } from '#collectors/replay/tar.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { clustersOf, isWhole } from './incident.ts'

const folder = temporaryFolder('demo-logs')
let program: Program
let address: string
const storedMs = 120_000
/** Texts of the lines by container, as the runtime wrote them: `NAMESPACE_POD_UID/CONTAINER`. */
const written = new Map<string, string[]>()

beforeAll(async () => {
	for await (const { path, content } of readTar(createReadStream('demo/pods.tar.gz').pipe(createGunzip()))) {
		const [, pod = '', container = ''] = path.split('/')
		const texts: string[] = written.get(`${pod}/${container}`) ?? []
		let open = ''
		for (const line of (await text(content)).split('\n').slice(0, -1)) {
			const [, tag, part = ''] = /^\S+ \S+ ([PF])\S* (.*)$/s.exec(line) ?? []
			open += part
			if (tag !== 'F') continue
			texts.push(open)
			open = ''
		}
		written.set(`${pod}/${container}`, texts)
	}
	program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', folder.path])
	address = await program.address
	await eventually(() => clustersOf(address), isWhole, storedMs)
	// What was found out about Pods behind their first lines is put to these too.
	await eventually(
		async () => (await all('/api/v1/timeline?cluster=demo&include=logs')).filter(({ log, labels }) => log?.pod && !labels).length,
		(unlabelled) => unlabelled === 0,
		storedMs,
	)
}, 2 * storedMs)
afterAll(async () => {
	program.process.kill('SIGTERM')
	await program.exited
	folder.remove()
})

async function all(path: string): Promise<readonly WireItem[]> {
	const items: WireItem[] = []
	let cursor: string | null = ''
	while (cursor !== null) {
		const page: WirePage<WireItem> = await getJson(
			address,
			`${path}&limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
		)
		items.push(...page.items)
		cursor = page.next
	}
	return items
}

async function kubetape(...args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }> {
	const asked = startProgram([...args, '--server', address])
	const status = await asked.exited
	return { status, output: asked.output() }
}

const podOf = (key: string): { readonly namespace: string; readonly pod: string; readonly uid: string; readonly container: string } => {
	const [, namespace = '', pod = '', uid = '', container = ''] = /^([^_]+)_([^_]+)_([^/]+)\/(.+)$/.exec(key) ?? []
	return { namespace, pod, uid, container }
}

describe('the logs of the recorded incident', () => {
	it('are all there, once, and in the words that were written', async () => {
		const items = await all('/api/v1/logs?cluster=demo&namespace=&order=asc&container=&unit=')
		expect(items.length).toBeGreaterThan(1000)
		const found = new Map<string, number>()
		for (const { log } of items) {
			const key = log?.pod ? `${log.namespace}_${log.pod}_${log.podUid}/${log.container}` : ''
			found.set(key, (found.get(key) ?? 0) + 1)
		}
		for (const [key, texts] of written) expect(found.get(key), key).toBe(texts.length)
		expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
	})

	it('of every container tell its owner, labels, node and image, as its Pod had them', async () => {
		const items = (await all('/api/v1/timeline?cluster=demo&include=logs')).filter(({ log }) => log?.pod)
		expect(items.length).toBeGreaterThan(1000)
		const images = new Map<string, Set<string>>()
		for (const { labels, owners, images: [image = ''] = [], log } of items) {
			const what = `${log?.pod} ${log?.container}`
			expect(Object.keys(labels ?? {}).length, what).toBeGreaterThan(0)
			// One Pod was made by hand, and nobody owned it.
			expect((owners?.length ?? 0) > 0, what).toBe(!log?.pod.startsWith('debug-'))
			expect(log?.node, what).toMatch(/^node-[abc]$/)
			expect(image, what).not.toBe('')
			const app = `${log?.namespace}/${labels?.['app'] ?? ''}/${log?.container}`
			images.set(app, (images.get(app) ?? new Set()).add(image))
		}
		// The rollout that broke it: lines of either image, each told its own.
		expect([...(images.get('shop/checkout/checkout') ?? [])].some((image) => image.endsWith('v2.0.0'))).toBe(true)
		expect([...(images.get('shop/checkout/checkout') ?? [])].some((image) => image.endsWith('v2.0.1'))).toBe(true)
		for (const node of ['node-a', 'node-b', 'node-c'])
			expect((await all(`/api/v1/logs?cluster=demo&node=${node}`)).length).toBe(items.filter(({ log }) => log?.node === node).length)
	})

	it('of etcd and of the API server are found in the timeline by their words', async () => {
		const etcd = await all('/api/v1/timeline?cluster=demo&include=logs&q=%22single%20port%22&unit=etcd')
		expect(etcd).toHaveLength(2)
		expect(etcd.slice(1)).toMatchObject([
			{ severity: 'warning', log: { component: 'etcd', level: 'warning' }, time: '2026-11-23T16:18:57.193149Z' },
		])
		const server = await all('/api/v1/timeline?cluster=demo&include=logs&q=%22Skipping%20API%22%20apiextensions')
		expect(server[0]).toMatchObject({
			log: { component: 'kube-apiserver', level: 'warning', pod: '' },
			time: '2026-11-23T16:18:59.016331Z',
		})
		const both = await all('/api/v1/timeline?cluster=demo&include=logs,audit,changes,events&q=checkout&namespace=shop')
		expect(new Set(both.map(({ kind }) => kind))).toEqual(new Set(['log', 'audit', 'change', 'event']))
	})
})

describe('kubetape logs', () => {
	it('prints what kubectl logs would have: the lines of the container, nothing else', async () => {
		for (const [key, texts] of [...written].filter((_, index) => index % 16 === 0)) {
			const { namespace, pod, uid, container } = podOf(key)
			const others = [...written.keys()].filter((other) => podOf(other).pod === pod && podOf(other).uid !== uid)
			if (others.length > 0) continue // a StatefulSet's next Pod by that name
			expect(await kubetape('logs', pod, '-n', namespace, '-c', container), key).toEqual({
				status: 0,
				output: texts.map((line) => `${line}\n`).join(''),
			})
		}
	})

	it('shows every Pod that a Deployment owned, each line with its Pod', async () => {
		const { status, output } = await kubetape('logs', 'deployment/checkout', '-n', 'shop', '--limit', '100000')
		const lines = output.trimEnd().split('\n')
		const mine = [...written].filter(([key]) => key.startsWith('shop_checkout-') && key.endsWith('/checkout'))
		expect([status, lines.length]).toEqual([0, mine.reduce((sum, [, texts]) => sum + texts.length, 0)])
		const pods = new Set(lines.map((line) => /^\[pod\/(\S+)\/checkout\] /.exec(line)?.[1]))
		expect(pods).toEqual(new Set(mine.map(([key]) => podOf(key).pod)))
	})

	it('stops at a time, finds words, and shows what stands around them', async () => {
		const [key = '', texts = []] = [...written].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? []
		const { namespace, pod, container } = podOf(key)
		const here = ['-n', namespace, '-c', container]
		const stamped = (await kubetape('logs', pod, ...here, '--timestamps')).output.trimEnd().split('\n')
		const middle = Math.floor(texts.length / 2)
		const time = stamped[middle]?.split(' ')[0] ?? ''
		const then = await kubetape('logs', pod, ...here, '--at', time)
		expect(then.output.trimEnd().split('\n').at(-1)).toBe(texts[middle])
		const word = /"trace_id": "([0-9a-f]+)"/.exec(texts[middle] ?? '')?.[1] ?? texts[middle] ?? ''
		const around = await kubetape('logs', pod, ...here, '-q', `"${word}"`, '--context', '2')
		expect(around).toEqual({
			status: 0,
			output: texts
				.slice(middle - 2, middle + 3)
				.map((line) => `${line}\n`)
				.join(''),
		})
		const json = await kubetape('logs', pod, ...here, '-q', word, '--context', '1', '-o', 'json')
		expect((JSON.parse(json.output) as WirePage<WireItem>).items.map(({ summary }) => summary)).toEqual(texts.slice(middle - 1, middle + 2))
	})

	it('ends with the status that says why', async () => {
		expect((await kubetape('logs', 'no-such-pod', '-n', 'shop')).status).toBe(1)
		expect((await kubetape('logs', 'deployment/none')).status).toBe(1)
		expect((await kubetape('logs', 'deployment/checkout', '-n', 'shop', '--from', '2027-01-01')).status).toBe(0)
		expect((await kubetape('logs', 'a/b/c')).status).toBe(1)
		expect((await kubetape('logs', 'x', '--at', 'now', '--to', 'now')).status).toBe(2)
		expect((await kubetape('logs', 'x', '--context', '2')).status).toBe(2)
		expect((await kubetape('logs', 'x', '--at', 'yesterday')).status).toBe(2)
		expect(await startProgram(['logs', 'x', '--server', 'http://127.0.0.1:1']).exited).toBe(3)
	})
})
