// A live cluster while something happens in it, recorded over Kafka and Elasticsearch. What is collected also goes, record by record, through the embedded record log and store: the same answers, byte by byte.
// One process with everything embedded records the same cluster by itself: but for when a thing was sighted, the same answers again.
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireCoverage } from '#api/wire.ts'
import { storeGroup } from '#cli/roles/context.ts'
import { streamOf, streams, type RecordLog } from '#storage/log/port.ts'
import { openApi } from '#test/support/api.ts'
import { startCluster, type Cluster } from '#test/support/cluster.ts'
import { etcdClient } from '#test/support/etcd.ts'
import { eventually, getJson, type Program } from '#test/support/program.ts'
import { answersMs, compareAnswers, overHttp, withoutMoment, withoutSighting } from './answers.ts'
import type { Questions } from './engines-questions.ts'
import { clustersOf } from './incident.ts'
import { drained, openStage, type Engines, type Stage } from './stage.ts'
import { chapters, openTools, overtime, type Chapter } from './work.ts'

const name = 'rig'
const storedMs = 240_000
/** On a busy machine. */
const playMs = 900_000
const linesOfPod = 40
const longLeaseSeconds = 600
let cluster: Cluster
let stage: Stage
const stack = new AsyncDisposableStack()

beforeAll(async () => {
	played.from = new Date().toISOString()
	cluster = await startCluster()
	stack.defer(() => cluster.stop())
	const pods = join(cluster.dir, 'pods')
	mkdirSync(pods)
	const recorded = {
		name,
		etcd: { endpoints: [cluster.etcd] },
		audit: { path: join(cluster.dir, 'audit', 'audit.log') },
		logs: { node: 'control', pods: { root: pods }, files: [{ paths: [join(cluster.dir, 'logs', 'kube-apiserver.log')] }] },
	}
	stage = stack.use(await openStage([recorded]))
})
afterAll(() => stack.disposeAsync())

/** Everything that comes to the one record log is appended to the other, as it comes. The answer ends this. */
function feed(from: RecordLog, to: RecordLog): () => Promise<void> {
	const done = new AbortController()
	const fed = (async () => {
		for await (const { records, next } of from.read('embedded', streams, done.signal)) {
			for (const [stream, of] of Map.groupBy(records, streamOf)) await to.append(stream, of)
			await from.commit('embedded', next)
		}
	})()
	return async () => {
		await Promise.race([fed, drained(from, 'embedded')])
		done.abort()
		await fed
	}
}

const breakingGlass: Chapter = async ({ kubectl, refused }) => {
	await refused('ci-deployer', '-n shop get secret database')
	await kubectl('alice', 'create clusterrolebinding bob-breakglass --clusterrole cluster-admin --user bob')
	await eventually(
		() => kubectl('bob', '-n shop auth can-i delete deployments'),
		(answer) => answer.trim() === 'yes',
	)
	await kubectl('bob', '-n shop delete deployment api')
	await kubectl('alice', 'delete clusterrolebinding bob-breakglass')
}

/** As a kubelet writes them, but whole at once, as a file that is met empty is named by when that was; the simulated pods print nothing. Gives how many lines. */
async function writePodLogs(): Promise<number> {
	using api = openApi(cluster)
	const list = await api.json('GET', '/api/v1/namespaces/shop/pods')
	const pods = list['items'] as readonly {
		readonly metadata: { readonly name: string; readonly uid: string }
		readonly spec: { readonly containers: readonly { readonly name: string }[] }
	}[]
	for (const { metadata, spec } of pods) {
		const dir = join(cluster.dir, 'pods', `shop_${metadata.name}_${metadata.uid}`, spec.containers[0]?.name ?? '')
		const lines = Array.from({ length: linesOfPod }, (_, line) => {
			const [stream, level] = line % 4 === 3 ? ['stderr', 'ERROR'] : ['stdout', 'INFO']
			return `${new Date().toISOString().replace('Z', '000000Z')} ${stream} F ${level} request ${line} of ${metadata.name}: "ü" took ${line * 7} ms\n`
		})
		mkdirSync(dir, { recursive: true })
		const draft = join(cluster.dir, 'pod.log')
		writeFileSync(draft, lines.join(''))
		renameSync(draft, join(dir, '0.log'))
	}
	return pods.length * linesOfPod
}

/** The API server's own keys outlive it by seconds: then etcd removes them, and writes nothing any more. Those of Events last for an hour. */
async function untilStill({ leaseClient }: Etcd3): Promise<void> {
	const ending = async (): Promise<readonly number[]> => {
		const { leases } = await leaseClient.leaseLeases()
		const each = await Promise.all(leases.map(({ ID }) => leaseClient.leaseTimeToLive({ ID })))
		return each.map(({ TTL }) => Number(TTL)).filter((seconds) => seconds < longLeaseSeconds)
	}
	await eventually(ending, (left) => left.length === 0, storedMs)
}

const linesIn = (...path: readonly string[]): number => readFileSync(join(cluster.dir, ...path), 'utf8').split('\n').length - 1

/** What is stored in the end at least: nothing comes any more. */
interface End {
	readonly revision: number
	readonly audit: number
	readonly log: number
	readonly rejects: number
}

async function play(): Promise<End> {
	using tools = openTools(cluster, { follow: () => Promise.resolve() })
	for (const chapter of [chapters.settingIn, chapters.releasing, overtime('night'), chapters.editing, breakingGlass]) await chapter(tools)
	const podLines = await writePodLogs()
	await cluster.kill('kube-apiserver')
	// Around the API server, now that nobody reads it any more: a value that cannot be read.
	const etcd = etcdClient([cluster.etcd])
	await untilStill(etcd)
	const { header } = await etcd.kv.put({ key: Buffer.from('/registry/configmaps/shop/broken'), value: Buffer.from('{"kind":') })
	etcd.close()
	const [audit, log] = [linesIn('audit', 'audit.log'), podLines + linesIn('logs', 'kube-apiserver.log')]
	return { revision: Number(header.revision), audit, log, rejects: 1 }
}

async function untilWhole(address: string, end: End): Promise<End> {
	const stored = async (): Promise<End> => {
		const { ranges, rejects } = await getJson<WireCoverage>(address, `/api/v1/coverage?cluster=${name}`)
		const { audit = 0, log = 0 } = (await clustersOf(address)).items[0]?.counts ?? {}
		return { revision: Number(ranges.at(-1)?.to ?? 0), audit, log, rejects }
	}
	const isWhole = (now: End): boolean =>
		now.revision >= end.revision && now.audit >= end.audit && now.log >= end.log && now.rejects >= end.rejects
	return eventually(stored, isWhole, storedMs).catch((error: unknown) => {
		throw new Error(`${String(error)}; wanted: ${JSON.stringify(end)}`)
	})
}

const addresses = { embedded: '', distributed: '', alone: '' }
/** When the cluster began, and when the play was over. */
const played = { from: '', to: '' }

describe('one live cluster', () => {
	it(
		'is stored whole by the distributed engines, by the embedded ones, and by a recorder of its own',
		async () => {
			const start = (role: string, data: string, engines: Engines): Program => stage.start(role, data, engines)
			const first = start('collect', 'collect', 'distributed')
			for (const data of ['process-1', 'process-2']) start('process', data, 'distributed')
			addresses.distributed = await start('serve', 'serve', 'distributed').address
			await untilWhole(addresses.distributed, { revision: 1, audit: 1, log: 1, rejects: 0 })
			expect(await stage.end(first)).toBe(0)
			await using kafka = await stage.log('feed', 'distributed')
			{
				// Closed before it is copied: who closes a file of SQLite's a second time in one process gives up the locks that it has on it.
				await using past = await stage.log('embedded', 'embedded')
				await feed(kafka, past)()
			}
			// What records by itself goes on where the other one stands, with the same past: from there on each sees the cluster with its own eyes.
			cpSync(join(stage.dir, 'embedded'), join(stage.dir, 'alone'), { recursive: true })
			cpSync(join(stage.dir, 'collect', 'collectors'), join(stage.dir, 'alone', 'collectors'), { recursive: true })
			await using embedded = await stage.log('embedded', 'embedded')
			const fed = feed(kafka, embedded)
			start('process', 'embedded', 'embedded')
			addresses.embedded = await start('serve', 'embedded', 'embedded').address
			addresses.alone = await start('all-in-one', 'alone', 'embedded').address
			const collect = start('collect', 'collect', 'distributed')

			const end = await play()
			played.to = new Date().toISOString()
			await untilWhole(addresses.distributed, end)
			expect(await stage.end(collect)).toBe(0)
			await fed()
			await Promise.all([drained(kafka, storeGroup), drained(embedded, storeGroup)])
			for (const address of [addresses.embedded, addresses.alone]) expect(await untilWhole(address, end)).toMatchObject({ rejects: 1 })
		},
		playMs,
	)

	it(
		'has the same answers on the embedded engines and on the distributed ones',
		async () => {
			const [embedded, distributed] = [overHttp(addresses.embedded), overHttp(addresses.distributed)]
			expect(await compareAnswers(embedded, distributed, { cluster: name, shown: withoutMoment })).toEqual({ differing: [], silent: [] })
		},
		answersMs,
	)

	it(
		'has them too where each recorded it with its own eyes, but for when that saw it',
		async () => {
			const [alone, distributed] = [overHttp(addresses.alone), overHttp(addresses.distributed)]
			const how = { cluster: name, shown: withoutOwnTimes, asked: withoutOwnMoments }
			expect(await compareAnswers(alone, distributed, how)).toEqual({ differing: [], silent: [] })
		},
		answersMs,
	)
})

/**
 * A version has no time but that of its sighting, and two recorders see it at two times. So those are left out, and the cursors that hold them. The same of
 * what is told of the whole cluster: when it was seen last, and of how many pieces the coverage is, which is joined where it is shown.
 */
function withoutOwnTimes(answer: string): string {
	return withoutSighting(answer)
		.replaceAll(/"source":"etcd","time":"[^"]*"(,"timeBoundSeconds":[^,]*)?/g, '"source":"etcd"')
		.replaceAll(/("name":"rig","firstTime":"[^"]*"),"lastTime":"[^"]*"/g, '$1')
		.replaceAll(/"coverage":\d+/g, '"coverage":0')
		.replaceAll(/"next":"[^"]*"/g, '"next":""')
}

/** Nor are they asked what hangs on it: versions from, to or at a time; versions in one list with what has a time of its own; how many versions were when. */
function withoutOwnMoments(questions: Questions): Questions {
	const exact = /^\/api\/v1\/(audit|logs)/
	const mixed = ['/api/v1/timeline', '/api/v1/timeline/histogram']
	const apart = (route: string, url: string): readonly string[] => {
		if (!mixed.includes(route)) return [url]
		const { pathname, searchParams } = new URL(url, addresses.alone)
		const versions = route === mixed[0] ? ['changes,events'] : []
		return [...versions, 'audit', 'logs'].map((include) => {
			searchParams.set('include', include)
			// Without them bars reach to when the last version was seen.
			if (route === mixed[1]) for (const [end, at] of Object.entries(played)) searchParams.set(end, at)
			return `${pathname}?${searchParams}`
		})
	}
	const isOfMoment = (url: string): boolean => /[?&](from|to|at)=\d{4}-/.test(url)
	return Object.fromEntries(
		Object.entries(questions).map(([route, urls]) => {
			const asked = exact.test(route) ? urls : urls.filter((url) => !isOfMoment(url))
			return [route, [...new Set(asked.flatMap((url) => apart(route, url)))]]
		}),
	)
}
