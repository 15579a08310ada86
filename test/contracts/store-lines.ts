// What every store promises of log lines and of the stages of requests: kept whole, in the order of their file, amended, together.
import { expect } from 'vitest'
import { auditId } from '#records/id.ts'
import type { Indexed } from '#records/indexed.ts'
import type { AuditEntry, LogLine, Redacted } from '#records/record.ts'
import type { Filter, Store } from '#storage/store/port.ts'
import { aLine, anAudit, dayMicros, noon } from '#test/storage/store/records.ts'
import type { Promised } from './store-engine.ts'

const minute = 60_000_000

async function pages(store: Store, filter: Filter, limit: number): Promise<string[]> {
	const page = await store.timeline(filter, { limit, order: 'asc' })
	return page.items.map(({ id }) => id)
}

function aStage(stage: AuditEntry['stage'], at: number, auditID = 'a-1'): Indexed {
	const audit = anAudit({ n: 1, at })
	const id = auditId('blue', auditID, stage, String(at), at)
	return { ...audit, record: { ...(audit.record as AuditEntry), id, auditID, stage } as Redacted<AuditEntry> }
}

/** Lines of one file, `bytes` long each, one a minute; what a clock that was set back says where `at` tells it. */
function aFile(count: number, bytes: number, at: (n: number) => number = (n) => noon + n * minute, file = 'f1'): Indexed[] {
	return Array.from({ length: count }, (_, n) => aLine({ at: at(n), offset: n * bytes, more: { file, text: `${file} ${n}` } }))
}

export function linePromises(promise: Promised): void {
	promise('amend: lines are found by what was found out later, and by what they had', async ({ store, reopen }) => {
		const line = aLine({ at: noon })
		const other = aLine({ at: noon + dayMicros, more: { node: 'node-a' } })
		await store.put([line, other])
		const owners = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs' }]
		const known = { labels: { app: 'web' }, owners, images: ['web:1'], node: 'node-b' }
		const amendments = [line, other, aLine({ at: noon + 5 })].map(({ record }) => ({ id: record.id, ...known }))
		for (const _ of ['once', 'again']) await store.amend('blue', amendments)
		await store.amend('red', [{ id: line.record.id, labels: {}, owners: [], images: [], node: '' }])
		for (const open of [() => Promise.resolve(store), reopen]) {
			const read = await open()
			const { items } = await read.timeline({ q: 'line' }, { limit: 9, order: 'asc' })
			expect(items).toMatchObject([
				{ labels: { app: 'web' }, owners, images: ['web:1'], summary: 'line 0', log: { node: 'node-b', pod: 'web-7f9c', offset: 0 } },
				{ labels: { app: 'web' }, log: { node: 'node-a' } },
			])
			expect(await pages(read, { node: 'node-b' }, 9)).toEqual([line.record.id])
			expect(await pages(read, { node: 'node-a', q: 'line', pod: 'web-7f9c' }, 9)).toEqual([other.record.id])
		}
	})

	promise('lines are kept whole: long ones, and the bytes of those that are no text', async ({ store, reopen }) => {
		const long = `${'é'.repeat(3000)} end\0`
		const texts: readonly (readonly [Partial<LogLine>, summary: string])[] = [
			[{ text: 'short\0nul', flags: ['nul'] }, 'short\0nul'],
			[{ text: long, flags: ['truncated'], originalBytes: 9_000_000 }, long.slice(0, 1000)],
			[{ text: 'bad \ufffd', flags: ['invalid-utf8'], raw: 'YmFkIP8=' }, 'bad \ufffd'],
			[{ text: `\ufffd${long}`, flags: ['invalid-utf8'], raw: 'AAAA' }, `\ufffd${long}`.slice(0, 1000)],
		]
		const lines = texts.map(([more, summary], n) => ({ ...aLine({ at: noon + n, offset: n * 10, more }), summary }))
		await store.put(lines)
		for (const open of [() => Promise.resolve(store), reopen]) {
			const read = await open()
			const { items } = await read.timeline({ include: ['log'] }, { limit: 9, order: 'asc' })
			expect(items.map(({ summary }) => summary)).toEqual(texts.map(([, summary]) => summary))
			expect(items.map(({ log }) => [log?.textChars, log?.raw, log?.originalBytes])).toEqual([
				[undefined, undefined, undefined],
				[long.length, undefined, 9_000_000],
				[undefined, 'YmFkIP8=', undefined],
				[long.length + 1, undefined, undefined],
			])
			const bodies = await Promise.all(lines.map(({ record }) => read.get('blue', record.id)))
			expect(bodies.map((version) => version?.body?.value ?? null)).toEqual([
				null,
				{ text: long },
				null,
				{ text: `\ufffd${long}`, raw: 'AAAA' },
			])
		}
	})

	promise('log filters: level, stream, restart, and what a line does not have', async ({ store }) => {
		const of = (n: number, more: Partial<LogLine>): Indexed => aLine({ at: noon + n, offset: n, more })
		const nodeOnly = { namespace: '', pod: '', podUid: '', container: '', component: 'kubelet', stream: '' } as const
		const lines = [of(0, { level: 'error' }), of(1, { stream: 'stderr' }), of(2, { restart: 3 }), of(3, nodeOnly)]
		await store.put(lines)
		const filters: readonly Filter[] = [{ level: 'error' }, { stream: 'stderr' }, { restart: 3 }, { pod: '' }]
		for (const [n, filter] of filters.entries()) {
			expect(await pages(store, filter, 9)).toEqual([lines[n]?.record.id])
			expect((await store.histogram(filter, 1)).map(({ counts }) => counts)).toEqual([{ log: 1 }])
		}
	})

	promise('around: the neighbours of a line in its file, whatever their times and however long the lines', async ({ store }) => {
		const stepped = aFile(60, 100, (n) => noon + n * minute - (n >= 30 ? 600 * minute : 0))
		const long = aFile(7, 3_000_000, (n) => noon + n * minute, 'f2')
		const far = aLine({ at: noon + 8 * minute, offset: 90_000_000, more: { file: 'f2', text: 'f2 far' } })
		await store.put([...stepped.toReversed(), ...long, far, aLine({ at: noon + 1, more: { file: 'f3' } })])
		const near = async (line: Indexed | undefined, before: number, after: number): Promise<readonly string[] | undefined> =>
			(await store.around('blue', line?.record.id ?? '', before, after))?.map(({ summary }) => summary)
		expect(await near(stepped[30], 2, 2)).toEqual(['f1 28', 'f1 29', 'f1 30', 'f1 31', 'f1 32'])
		expect(await near(stepped[1], 5, 1)).toEqual(['f1 0', 'f1 1', 'f1 2'])
		expect(await near(stepped[59], 1, 5)).toEqual(['f1 58', 'f1 59'])
		expect(await near(stepped[5], 0, 0)).toEqual(['f1 5'])
		expect(await near(long[3], 1, 2)).toEqual(['f2 2', 'f2 3', 'f2 4', 'f2 5'])
		expect(await near(long[6], 0, 1)).toEqual(['f2 6', 'f2 far'])
		expect(await near(far, 1, 1)).toEqual(['f2 6', 'f2 far'])
		expect(await store.around('red', far.record.id, 1, 1)).toBeUndefined()
		expect(await store.around('blue', 'f'.repeat(32), 1, 1)).toBeUndefined()
	})

	promise('around goes on over midnight', async ({ store }) => {
		const lines = aFile(4, 50, (n) => noon + n * dayMicros)
		await store.put(lines)
		expect((await store.around('blue', lines[1]?.record.id ?? '', 1, 1))?.map(({ summary }) => summary)).toEqual(['f1 0', 'f1 1', 'f1 2'])
	})

	promise(
		'around goes on in the file before and in the one behind, also over midnight; what is told in a circle ends',
		async ({ store }) => {
			const of = (file: string, first: number, more: Partial<LogLine> = {}): Indexed[] =>
				Array.from({ length: 3 }, (_, n) => aLine({ at: first + n, offset: n * 40_000, more: { file, text: `${file} ${n}`, ...more } }))
			const files = [of('a', noon), of('b', noon + 10, { follows: 'a' }), of('c', noon + dayMicros, { follows: 'b' })]
			const other = [...of('x', noon, { follows: 'y' }), ...of('y', noon + 5, { follows: 'x' })]
			await store.put([...files.flat(), ...other, aLine({ at: noon, more: { file: 'a', cluster: 'red', text: 'red' } })])
			const near = async (line: Indexed | undefined, before: number, after: number): Promise<string | undefined> =>
				(await store.around('blue', line?.record.id ?? '', before, after))?.map(({ summary }) => summary).join(', ')
			expect(await near(files[1]?.[0], 2, 1)).toBe('a 1, a 2, b 0, b 1')
			expect(await near(files[2]?.[1], 5, 0)).toBe('a 2, b 0, b 1, b 2, c 0, c 1')
			expect(await near(files[0]?.[2], 1, 4)).toBe('a 1, a 2, b 0, b 1, b 2, c 0')
			expect(await near(files[1]?.[1], 100, 100)).toBe(files.flatMap((lines) => lines.map(({ summary }) => summary)).join(', '))
			expect(await near(other[0], 4, 0)).toBe('y 0, y 1, y 2, x 0')
		},
	)

	promise('what a journal tells of a line is kept', async ({ store, reopen }) => {
		const journal = { pid: 12, priority: 3, bootId: 'b0', hostname: 'node-a', identifier: 'kubelet' }
		await store.put([aLine({ at: noon, more: { pod: '', container: '', component: 'kubelet.service', journal } })])
		for (const open of [() => Promise.resolve(store), reopen]) {
			const read = await open()
			const { items } = await read.timeline({ unit: 'kubelet.service' }, { limit: 9 })
			expect(items).toMatchObject([{ log: { component: 'kubelet.service', journal } }])
		}
	})

	promise('stages: all that is stored of these requests', async ({ store }) => {
		const entries = [
			aStage('RequestReceived', noon),
			aStage('ResponseComplete', noon + dayMicros),
			aStage('ResponseComplete', noon + 1, 'a-2'),
		]
		await store.put(entries)
		const found = await store.stages('blue', ['a-1', 'a-2', 'a-1', 'a-3'])
		expect(found.map(({ audit }) => [audit?.auditID, audit?.stage])).toEqual([
			['a-1', 'RequestReceived'],
			['a-2', 'ResponseComplete'],
			['a-1', 'ResponseComplete'],
		])
		expect(await store.stages('red', ['a-1'])).toEqual([])
		expect(await store.stages('blue', [])).toEqual([])
	})
}
