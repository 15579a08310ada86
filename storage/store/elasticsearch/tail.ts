// Live tails: records in the order in which each shard took them. What every shard has taken without a hole is known first, and made visible; so nothing is passed over, whoever else writes.
import { cursorOf, readCursor } from '#storage/store/cursor.ts'
import type { Filter, Item } from '#storage/store/port.ts'
import { askedBy, worked, type Asked, type Asking } from './filter.ts'
import { itemOf, itemsOnly, itemSource, type Hit } from './item.ts'
import type { DayIndex } from './names.ts'

/** How far a tail has come in each shard: by class letter, day and number of the shard, the last sequence number. */
type Stand = Readonly<Record<string, number>>

interface Shard {
	readonly index: DayIndex
	readonly number: string
	readonly key: string
	/** All operations up to this are done. */
	readonly checkpoint: number
}

interface Stats {
	readonly indices?: Readonly<
		Record<
			string,
			{
				readonly shards: Readonly<
					Record<
						string,
						readonly { readonly routing: { readonly primary: boolean }; readonly seq_no?: { readonly local_checkpoint: number } }[]
					>
				>
			}
		>
	>
}

const letters: Readonly<Record<DayIndex['class'], string>> = {
	changes: 'c',
	events: 'e',
	audit: 'a',
	logs: 'l',
	ledger: 'g',
	keyframes: 'k',
}

const keyOf = ({ class: of, day }: DayIndex, shard: string): string => `${letters[of]}${day.slice(2).replaceAll('-', '')}.${shard}`

async function shardsOf({ searcher }: Asking): Promise<readonly Shard[]> {
	const { indices = {} } = await searcher.ask<Stats>({
		method: 'GET',
		path: `/${searcher.names.every()}/_stats`,
		query: {
			level: 'shards',
			ignore_unavailable: 'true',
			filter_path: 'indices.*.shards.*.routing.primary,indices.*.shards.*.seq_no.local_checkpoint',
		},
	})
	return Object.entries(indices).flatMap(([name, { shards }]) => {
		const index = searcher.names.parse(name)
		if (!index) return []
		return Object.entries(shards).flatMap(([number, copies]) => {
			const checkpoint = copies.find(({ routing }) => routing.primary)?.seq_no?.local_checkpoint
			return checkpoint === undefined ? [] : [{ index, number, key: keyOf(index, number), checkpoint }]
		})
	})
}

interface Queue {
	readonly shard: Shard
	readonly hits: readonly Hit[]
	/** All up to the checkpoint are among the hits. */
	readonly whole: boolean
	next: number
}

/** The sequence number under which it came: an amended line has another one by now. */
const firstOf = (hit: Hit): number => hit._source.kubetape.first ?? (hit.sort[0] as number)

async function queueOf({ searcher }: Asking, shard: Shard, asked: Asked, after: number, limit: number): Promise<Queue> {
	const range = { gt: after, lte: shard.checkpoint }
	const find = (field: string, more: object): Promise<readonly Hit[]> =>
		searcher.shardHits(shard.index.name, shard.number, {
			query: { bool: { filter: [asked.query, { range: { [field]: range } }], ...more } },
			sort: [{ [field]: 'asc' }],
			size: limit + 1,
			...itemsOnly,
			source: [...itemSource, 'kubetape.put', 'kubetape.first'],
		})
	const found = await find('_seq_no', { must_not: [{ exists: { field: worked('first') } }] })
	const amended = shard.index.class === 'logs' ? await find(worked('first'), {}) : []
	const hits = amended.length === 0 ? found : [...found, ...amended].toSorted((a, b) => firstOf(a) - firstOf(b)).slice(0, limit + 1)
	return { shard, hits, whole: hits.length <= limit, next: 0 }
}

const comesBefore = (a: Hit, b: Hit): boolean => {
	const [stampA = 0, nA = 0] = a._source.kubetape.put ?? []
	const [stampB = 0, nB = 0] = b._source.kubetape.put ?? []
	return stampA < stampB || (stampA === stampB && nA < nB)
}

export async function tail(
	asking: Asking,
	filter: Filter,
	after: string | undefined,
	limit: number,
): Promise<{ readonly items: readonly (Item & { readonly token: string })[]; readonly token: string }> {
	const shards = await shardsOf(asking)
	const token = (stand: Stand): string => cursorOf(stand, 'tail')
	if (after === undefined) return { items: [], token: token(Object.fromEntries(shards.map(({ key, checkpoint }) => [key, checkpoint]))) }
	const { q: _, ...begun } = readCursor<Record<string, number>>(after, 'tail')
	const stand: Record<string, number> = begun
	const changed = shards.filter(({ key, checkpoint }) => checkpoint > (stand[key] ?? -1))
	if (changed.length === 0) return { items: [], token: after }
	const { searcher } = asking
	for (const name of new Set(changed.map(({ index }) => index.name))) await searcher.refresh(name)
	const asked = await askedBy(asking, filter)
	const queues = asked ? await Promise.all(changed.map((shard) => queueOf(asking, shard, asked, stand[shard.key] ?? -1, limit))) : []
	const items: (Item & { token: string })[] = []
	while (items.length < limit) {
		let first: Queue | undefined
		for (const queue of queues) {
			const head = queue.hits[queue.next]
			const best = first?.hits[first.next]
			if (head && (!best || comesBefore(head, best))) first = queue
		}
		const hit = first?.hits[first.next]
		if (!first || !hit) break
		first.next += 1
		stand[first.shard.key] = firstOf(hit)
		items.push({ ...itemOf(hit._source), token: token(stand) })
	}
	const withoutQueue = asked ? [] : changed
	for (const { key, checkpoint } of withoutQueue) stand[key] = checkpoint
	for (const { shard, hits, whole, next } of queues) if (whole && next === hits.length) stand[shard.key] = shard.checkpoint
	return { items, token: token(stand) }
}
