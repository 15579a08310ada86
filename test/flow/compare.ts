// A store held against the truth: every version by id and by text, none twice, and its own statements about what it saw whole and what it missed.
import { hash } from 'node:crypto'
import { joinCoverage } from '#history/coverage.ts'
import { resourceName } from '#records/object-key.ts'
import type { Gap, RecordKind } from '#records/record.ts'
import type { Item, Store } from '#storage/store/port.ts'
import type { Oracle, TrueVersion } from './truth.ts'

const kinds: readonly RecordKind[] = ['change', 'event', 'audit', 'log', 'gap', 'coverage', 'reject']
const pageRecords = 1000

export interface Comparison {
	readonly compared: Readonly<Record<Oracle, number>>
	readonly missing: readonly string[]
	readonly different: readonly string[]
}

/** Each of the versions against what the store has under its id. */
export async function compareVersions(store: Store, cluster: string, versions: readonly TrueVersion[]): Promise<Comparison> {
	const compared = { api: 0, types: 0, none: 0 }
	const missing: string[] = []
	const different: string[] = []
	for (const { record, revision, key, oracle, text } of versions) {
		const stored = await store.get(cluster, record.id)
		if (!stored) {
			missing.push(`${revision} ${key}`)
			continue
		}
		compared[oracle] += 1
		const given = stored.body?.text ?? null
		if (given !== text) different.push(`${revision} ${key}: ${parting(given ?? 'nothing', text ?? 'nothing')}`)
	}
	return { compared, missing, different }
}

const shownAround = 80

/** Where two texts part. */
function parting(ours: string, theirs: string): string {
	let at = 0
	while (at < ours.length && ours[at] === theirs[at]) at += 1
	const around = (text: string): string => text.slice(Math.max(0, at - shownAround), at + shownAround)
	return `stored ${around(ours)} · served ${around(theirs)}`
}

/** All records as a reader pages through them. */
export async function readAll(store: Store, cluster: string): Promise<readonly Item[]> {
	const items: Item[] = []
	let cursor: string | undefined
	do {
		const page = await store.timeline(
			{ cluster, include: kinds, noise: true },
			{ limit: pageRecords, ...(cursor === undefined ? {} : { cursor }) },
		)
		items.push(...page.items)
		cursor = page.next ?? undefined
	} while (cursor !== undefined)
	return items
}

/** Records that a reader sees twice, and kinds whose counter is not the number of records. */
export async function findDoubles(store: Store, cluster: string, items: readonly Item[]): Promise<readonly string[]> {
	const ids = new Set<string>()
	const doubles = items.filter(({ id }) => ids.size === ids.add(id).size).map(({ id, kind }) => `${kind} ${id}`)
	const info = (await store.clusters()).find(({ name }) => name === cluster)
	const miscounted = kinds
		.map((kind) => ({ kind, counted: info?.counts[kind] ?? 0, read: items.filter((item) => item.kind === kind).length }))
		.filter(({ counted, read }) => counted !== read)
		.map(({ kind, counted, read }) => `${kind}: ${counted} counted, ${read} read`)
	return [...doubles, ...miscounted]
}

/** Versions that the store has and etcd never had, but for the deletions that a gap tells of: those it may only tell of what had gone. */
export function findInvented(items: readonly Item[], truth: readonly TrueVersion[], gaps: readonly Gap[]): readonly string[] {
	const known = new Set(truth.map(({ record }) => record.id))
	const invented = items.filter(({ id, kind }) => (kind === 'change' || kind === 'event') && !known.has(id))
	return invented.flatMap((item) => {
		const { revision, operation, sighting, id } = item
		const key = keyOfItem(item)
		const isToldByGap = operation === 'deleted' && sighting === 'gap' && gaps.some(({ toRevision }) => toRevision === revision)
		const hasGone = isToldByGap && revision !== undefined && key !== undefined && !standingAt(truth, revision).has(key)
		return hasGone ? [] : [`${revision} ${operation} ${key ?? id}`]
	})
}

/** The versioned object itself: of a cluster event the Event, not what it regards. */
function keyOfItem({ kind, object, event }: Item): string | undefined {
	const ref = kind === 'event' ? event?.object : object
	return ref && `${resourceName(ref)}/${ref.namespace}/${ref.name}`
}

const keyOf = ({ record: { object } }: TrueVersion): string => `${resourceName(object)}/${object.namespace}/${object.name}`

/** What stood at a revision, by object. */
export function standingAt(truth: readonly TrueVersion[], revision: bigint): ReadonlyMap<string, TrueVersion> {
	const standing = new Map<string, TrueVersion>()
	for (const version of truth) {
		if (version.revision > revision) break
		if (version.isDeleted) standing.delete(keyOf(version))
		else standing.set(keyOf(version), version)
	}
	return standing
}

/** How the store's state at a revision differs from what stood in etcd then. */
export async function compareState(
	store: Store,
	cluster: string,
	truth: readonly TrueVersion[],
	revision: bigint,
): Promise<readonly string[]> {
	const expected = new Map([...standingAt(truth, revision)].map(([key, version]) => [key, version.revision]))
	const found: string[] = []
	let cursor: string | undefined
	do {
		const page = await store.stateAt(cluster, { revision }, {}, { limit: pageRecords, ...(cursor === undefined ? {} : { cursor }) })
		for (const item of page.items) {
			const key = keyOfItem(item)
			if (key === undefined) continue
			const at = item.revision
			if (expected.get(key) !== at) found.push(`${key}: ${at} is stored, ${expected.get(key) ?? 'nothing'} stood`)
			expected.delete(key)
		}
		cursor = page.next ?? undefined
	} while (cursor !== undefined)
	return [...found, ...[...expected].map(([key, at]) => `${key}: ${at} stood, nothing is stored`)]
}

interface Range {
	readonly from: bigint
	readonly to: bigint
}

/** What is wrong with the store's statements: revisions that neither a range nor a gap speaks of, or both do; ranges with another count or chain than etcd's. */
export async function checkLedger(store: Store, cluster: string, truth: readonly TrueVersion[]): Promise<readonly string[]> {
	const { gaps, coverage } = await store.ledger(cluster, {})
	const ranges = joinCoverage(coverage)
	const wrong: string[] = []
	const all: Range[] = [...ranges, ...gaps.map(({ fromRevision, toRevision }) => ({ from: fromRevision ?? 0n, to: toRevision ?? 0n }))]
	let next: bigint | undefined
	for (const { from, to } of all.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
		if (next !== undefined && from !== next) wrong.push(`${from < next ? 'twice' : 'not'} spoken of: ${next}, ${from}`)
		next = to + 1n
	}
	for (const { from, to, versions, chain } of ranges) {
		const inside = truth.filter(({ revision }) => revision >= from && revision <= to)
		if (inside.length !== versions) wrong.push(`${from}..${to}: ${versions} versions stated, ${inside.length} in etcd`)
		const folded = inside.reduce((before, { revision, key }) => hash('sha256', `${before}\n${revision}\n${key}`, 'hex'), '')
		if (folded !== chain) wrong.push(`${from}..${to}: the chain is not etcd's`)
	}
	return wrong
}
