// Replay of made-up recordings: damaged, holed, partial, resumed, paced.
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createReplayCollector } from '#collectors/replay/collector.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Clock } from '#runtime/clock.ts'
import { auditLine, contextIn, etcdLine, replay, temporaryFolder } from './support.ts'

function recordingOf(etcd: readonly string[], audit: readonly string[] = []): string {
	const dir = temporaryFolder()
	if (etcd.length > 0) writeFileSync(join(dir, 'etcd.jsonl'), `${etcd.join('\n')}\n`)
	if (audit.length > 0) writeFileSync(join(dir, 'audit.jsonl'), `${audit.join('\n')}\n`)
	return dir
}

const revisionsOf = (records: readonly KubetapeRecord[]): readonly number[] =>
	records.flatMap((record) => (record.kind === 'change' ? [Number(record.revision)] : []))
const of = <K extends KubetapeRecord['kind']>(
	records: readonly KubetapeRecord[],
	kind: K,
): readonly Extract<KubetapeRecord, { kind: K }>[] =>
	records.filter((record): record is Extract<KubetapeRecord, { kind: K }> => record.kind === kind)

describe('replay', () => {
	it('merges etcd, audit, component and container files by time, packed or plain', async () => {
		const dir = recordingOf([etcdLine(10, 'a'), etcdLine(12, 'b'), etcdLine(13, 'a', 10)], [auditLine('x', 11), auditLine('y', 14)])
		mkdirSync(join(dir, 'logs'))
		writeFileSync(join(dir, 'logs', 'kubelet.log.gz'), gzipSync('plain first\nI0102 03:04:17.500000   7 a.go:1] hello\n'))
		mkdirSync(join(dir, 'pods/shop_web-1_u-1/web'), { recursive: true })
		writeFileSync(
			join(dir, 'pods/shop_web-1_u-1/web/3.log'),
			'2026-01-02T03:04:17.2Z stdout P one \n2026-01-02T03:04:17.3Z stderr F err\n2026-01-02T03:04:17.4Z stdout F:T two\n',
		)
		const { records } = await replay(dir)
		expect(
			of(records, 'log').map(({ component, pod, restart, stream, text, flags }) => [component, pod, restart, stream, text, flags]),
		).toEqual([
			['kubelet', '', 0, '', 'plain first', ['no-time']],
			['', 'web-1', 3, 'stderr', 'err', []],
			['', 'web-1', 3, 'stdout', 'one two', []],
			['kubelet', '', 0, '', 'a.go:1] hello', []],
		])
		expect(of(records, 'audit').map((entry) => [entry.auditID, entry.object?.name, entry.responseRevision])).toEqual([
			['x', 'made-x', 42n],
			['y', 'made-y', 42n],
		])
		const order = records
			.filter((record) => record.kind === 'change' || record.kind === 'audit')
			.map((record) => (record.kind === 'change' ? Number(record.revision) : record.auditID))
		expect(order.indexOf('x')).toBeLessThan(order.indexOf(13))
	})

	it('takes a line that is there twice once, and refuses another change of the same key and revision', async () => {
		const [a, b] = [etcdLine(10, 'a'), etcdLine(11, 'b')]
		const other = b.replace(/"value":"[^"]*"/, `"value":"${Buffer.from('{"kind":"ConfigMap","apiVersion":"v1"}').toString('base64')}"`)
		const { records } = await replay(recordingOf([a, a, b, b, other]))
		expect(revisionsOf(records)).toEqual([10, 11])
		expect(of(records, 'coverage').map((range) => [range.fromRevision, range.toRevision, range.versions])).toEqual([[10n, 11n, 2]])
		expect(of(records, 'reject').map(({ where, reason }) => [where, reason])).toEqual([
			['etcd.jsonl:5', 'another change of this key has this revision'],
		])
	})

	it('finds the prefix of the API server in the keys', async () => {
		const lines = [etcdLine(10, 'a'), etcdLine(11, 'b')].map((line) => line.replace('/registry/', '/clusters/one/'))
		const { records } = await replay(recordingOf([...lines, etcdLine(12, 'c')]))
		expect(of(records, 'change').map(({ object }) => `${object.resource}/${object.namespace}/${object.name}`)).toEqual([
			'configmaps/shop/a',
			'configmaps/shop/b',
			'etcdkeys///registry/configmaps/shop/c',
		])
	})

	it('covers what is there, also where the recording says that it begins later', async () => {
		const dir = recordingOf([etcdLine(10, 'a'), etcdLine(11, 'b')])
		writeFileSync(join(dir, 'etcd-meta.json'), '{"from":"100"}')
		const { records } = await replay(dir)
		expect([of(records, 'coverage')[0]?.fromRevision, of(records, 'coverage').at(-1)?.toRevision]).toEqual([10n, 11n])
	})

	it('logs alone stand where they tell, not in 1970', async () => {
		const dir = temporaryFolder()
		mkdirSync(join(dir, 'logs'))
		writeFileSync(join(dir, 'logs', 'kubelet.log'), 'I0102 03:04:17.500000   7 a.go:1] hello\n')
		writeFileSync(join(dir, 'logs', 'etcd.log'), '{"level":"info","ts":"2025-12-31T10:00:00Z","msg":"up"}\n')
		const { records } = await replay(dir)
		const years = of(records, 'log').map(({ occurredAt }) => new Date(occurredAt / 1000).getUTCFullYear())
		expect(years.toSorted((a, b) => a - b)).toEqual([2025, 2026])
	})

	it('refuses the changes of another etcd under the same name, and takes another part of the same one', async () => {
		const state = temporaryFolder()
		const part = (id: string, revision: number): string => {
			const dir = recordingOf([etcdLine(revision, 'a')])
			writeFileSync(join(dir, 'etcd-meta.json'), JSON.stringify({ cluster_id: id }))
			return dir
		}
		expect(revisionsOf((await replay(part('one', 10), state)).records)).toEqual([10])
		expect(revisionsOf((await replay(part('one', 20), state)).records)).toEqual([20])
		await expect(replay(part('two', 20), state)).rejects.toMatchObject({ code: 'RECORDING_INVALID' })
		// Requests have ids of their own: they mix with nothing.
		expect(of((await replay(recordingOf([], [auditLine('x', 1)]), state)).records, 'audit')).toHaveLength(1)
		await expect(replay(part('two', 20), state)).rejects.toMatchObject({ code: 'RECORDING_INVALID' })
	})

	it('states a hole in the revisions as a gap, and covers the ranges on both sides', async () => {
		const { records } = await replay(recordingOf([10, 11, 15, 16].map((revision) => etcdLine(revision, `n${revision}`))))
		expect(of(records, 'gap').map((gap) => [gap.reason, gap.fromRevision, gap.toRevision])).toEqual([['lost', 12n, 14n]])
		expect(of(records, 'coverage').map((range) => [range.fromRevision, range.toRevision, range.versions])).toEqual([
			[10n, 11n, 2],
			[15n, 15n, 1],
			[16n, 16n, 1],
		])
	})

	it('sets aside only the line whose revision is garbled', async () => {
		const { records } = await replay(
			recordingOf([etcdLine(10, 'a'), etcdLine(9911, 'b'), etcdLine(12, 'c'), etcdLine(3, 'd'), etcdLine(13, 'e')]),
		)
		expect(revisionsOf(records)).toEqual([10, 12, 13])
		expect(of(records, 'reject').map((reject) => reject.where)).toEqual(['etcd.jsonl:2', 'etcd.jsonl:4'])
		expect(of(records, 'gap').map((gap) => [gap.reason, gap.fromRevision, gap.toRevision])).toEqual([
			['corrupt', 11n, 11n],
			['corrupt', 12n, 13n],
		])
	})

	it('reads a gzip that breaks off up to there, and says so', async () => {
		const dir = temporaryFolder()
		const lines = Array.from({ length: 2000 }, (_, index) => etcdLine(index + 2, `n${index}`))
		const packed = gzipSync(`${lines.join('\n')}\n`)
		writeFileSync(join(dir, 'etcd.jsonl.gz'), packed.subarray(0, Math.floor(packed.length / 2)))
		const { records } = await replay(dir)
		const seen = revisionsOf(records)
		expect(seen.length).toBeGreaterThan(500)
		expect(seen).toEqual(Array.from(seen, (_, index) => index + 2))
		expect(of(records, 'reject')).toHaveLength(1)
		expect(of(records, 'reject')[0]).toMatchObject({
			reason: expect.stringContaining('breaks off'),
			where: `etcd.jsonl:${seen.length + 1}`,
		})
		expect(of(records, 'gap').map((gap) => gap.reason)).toEqual(['truncated'])
	})

	it('goes on behind what was durable, and hands nothing over again once it is through', async () => {
		const dir = recordingOf(Array.from({ length: 5000 }, (_, index) => etcdLine(index + 2, `n${index}`)))
		writeFileSync(join(dir, 'etcd-meta.json'), '{"cluster_id":"one"}')
		const stateDir = temporaryFolder()
		const first: KubetapeRecord[] = []
		const fail = async (batch: readonly KubetapeRecord[]): Promise<void> => {
			if (first.length > 0) throw new Error('the log is gone')
			first.push(...batch)
			await Promise.resolve()
		}
		await expect(
			createReplayCollector({ path: dir, speed: 'max' }, contextIn(stateDir)).run(fail, new AbortController().signal),
		).rejects.toThrow('the log is gone')
		const { records } = await replay(dir, stateDir)
		expect([...revisionsOf(first), ...revisionsOf(records)]).toEqual(Array.from({ length: 5000 }, (_, index) => index + 2))
		expect((await replay(dir, stateDir)).records).toEqual([])
		// Another recording of the same cluster is read from its beginning.
		const copy = temporaryFolder()
		cpSync(dir, copy, { recursive: true })
		appendFileSync(join(copy, 'etcd.jsonl'), `${etcdLine(5002, 'more')}\n`)
		expect(revisionsOf((await replay(copy, stateDir)).records)).toHaveLength(5001)
	})

	it('waits as long as it took, divided by the speed', async () => {
		let now = 0
		const slept: number[] = []
		const clock: Clock = {
			nowMicros: () => now,
			sleep: async (ms) => {
				slept.push(ms)
				now += ms * 1000
				await Promise.resolve()
			},
		}
		const dir = recordingOf([], [auditLine('a', 0), auditLine('b', 10), auditLine('c', 30)])
		await createReplayCollector({ path: dir, speed: 10 }, contextIn(temporaryFolder(), clock)).run(
			async () => Promise.resolve(),
			new AbortController().signal,
		)
		expect(slept).toEqual([1000, 2000])
	})

	it('refuses a folder that is no recording', async () => {
		await expect(replay(temporaryFolder())).rejects.toMatchObject({ code: 'RECORDING_INVALID' })
		await expect(replay(join(temporaryFolder(), 'not-there'))).rejects.toMatchObject({ code: 'RECORDING_INVALID' })
	})
})
