// The whole keyspace at one revision, a page at a time, and the difference to what was known before.
import { isUtf8 } from 'node:buffer'
import type { IKeyValue } from 'etcd3'
import type { Revision } from '#records/revision.ts'
import { rangeOf, type EtcdClient } from './client.ts'
import type { WatchedEvent } from './watch.ts'

export interface SnapshotPage {
	readonly revision: Revision
	readonly keys: readonly IKeyValue[]
}

/** In key order. Throws ETCD_COMPACTED where the revision is compacted while it is read: begin again with a new one. */
export async function* readSnapshot(
	client: EtcdClient,
	options: { readonly prefix: string; readonly revision: Revision; readonly pageKeys: number },
): AsyncGenerator<SnapshotPage> {
	const range = rangeOf(options.prefix)
	let key = range.key
	for (;;) {
		const answer = await client.range({ key, range_end: range.range_end, limit: options.pageKeys, revision: options.revision.toString() })
		yield { revision: options.revision, keys: answer.kvs }
		const last = answer.kvs.at(-1)
		if (!answer.more || !last) return
		key = Buffer.concat([last.key, Buffer.from([0])])
	}
}

function found(kv: IKeyValue, prev: WatchedEvent['prev']): WatchedEvent {
	return {
		type: 'PUT',
		key: kv.key.toString('utf8'),
		keyBytes: isUtf8(kv.key) ? null : kv.key,
		value: kv.value,
		modRevision: BigInt(kv.mod_revision),
		createRevision: BigInt(kv.create_revision),
		version: BigInt(kv.version),
		lease: BigInt(kv.lease),
		prev,
	}
}

export interface SnapshotDifference {
	readonly revision: Revision
	readonly events: readonly WatchedEvent[]
	/** Those whose value differs from what was known. */
	readonly changed: ReadonlySet<WatchedEvent>
}

interface Known {
	readonly key: string
	readonly revision: Revision
	readonly value: Uint8Array
}

const gonePageKeys = 500

/**
 * What differs between the last known state and a snapshot, page by page in key order. A key that is known with the same revision gives nothing; one
 * that has gone gives a DELETE at the snapshot's revision: its real one is not known. With an empty state that is the whole snapshot. In a new revision
 * space revisions say nothing about the known values: every key is given, without a value before, and `changed` tells whose bytes differ.
 */
export async function* diffSnapshot(
	pages: AsyncIterable<SnapshotPage>,
	known: Iterator<Known>,
	newSpace: boolean,
): AsyncGenerator<SnapshotDifference> {
	let next = known.next()
	let revision = 0n
	let events: WatchedEvent[] = []
	let changed = new Set<WatchedEvent>()
	const give = (event: WatchedEvent, isChanged: boolean): void => {
		events.push(event)
		if (isChanged) changed.add(event)
	}
	const gone = (before: Known): void => {
		const prev = newSpace ? null : { modRevision: before.revision, value: before.value }
		give(
			{
				type: 'DELETE',
				key: before.key,
				keyBytes: null,
				value: null,
				modRevision: revision,
				createRevision: 0n,
				version: 0n,
				lease: 0n,
				prev,
			},
			true,
		)
		next = known.next()
	}
	const flush = (): SnapshotDifference => {
		const page = { revision, events, changed }
		events = []
		changed = new Set()
		return page
	}
	for await (const page of pages) {
		revision = page.revision
		for (const kv of page.keys) {
			while (!next.done && Buffer.compare(Buffer.from(next.value.key, 'utf8'), kv.key) < 0) gone(next.value)
			if (!next.done && Buffer.compare(Buffer.from(next.value.key, 'utf8'), kv.key) === 0) {
				const before = next.value
				next = known.next()
				if (newSpace) give(found(kv, null), Buffer.compare(before.value, kv.value) !== 0)
				else if (before.revision !== BigInt(kv.mod_revision)) give(found(kv, { modRevision: before.revision, value: before.value }), true)
			} else give(found(kv, null), true)
		}
		yield flush()
	}
	while (!next.done) {
		gone(next.value)
		if (events.length >= gonePageKeys) yield flush()
	}
	yield flush()
}
