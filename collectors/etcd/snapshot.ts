// The whole keyspace at one revision, a page at a time, and the difference to what was known before.
import { isUtf8 } from 'node:buffer'
import type { IKeyValue } from 'etcd3'
import type { Revision } from '#records/revision.ts'
import type { LocalState } from '#collectors/local-state.ts'
import { rangeOf, type EtcdClient } from './client.ts'
import type { WatchedEvent } from './watch.ts'

export interface SnapshotPage {
	readonly revision: Revision
	readonly keys: readonly IKeyValue[]
}

/** In key order. Throws ETCD_COMPACTED where the revision is compacted while it is read: begin again with a new one. */
export async function* readSnapshot(client: EtcdClient, options: { readonly prefix: string; readonly revision: Revision; readonly pageKeys: number }): AsyncGenerator<SnapshotPage> {
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

/**
 * What differs between the last known state and a snapshot, page by page in key order. A key that is known with the same revision gives nothing; one
 * that has gone gives a DELETE at the snapshot's revision: its real one is not known. With an empty state that is the whole snapshot.
 */
export async function* diffSnapshot(pages: AsyncIterable<SnapshotPage>, state: Pick<LocalState, 'list'>, prefix: string): AsyncGenerator<{ readonly revision: Revision; readonly events: readonly WatchedEvent[] }> {
	const known = state.list(prefix)
	let next = known.next()
	let revision = 0n
	const gone = (): WatchedEvent => {
		const { key, revision: modRevision, value } = next.value as { key: string; revision: Revision; value: Uint8Array }
		next = known.next()
		return { type: 'DELETE', key, keyBytes: null, value: null, modRevision: revision, createRevision: 0n, version: 0n, lease: 0n, prev: { modRevision, value } }
	}
	for await (const page of pages) {
		revision = page.revision
		const events: WatchedEvent[] = []
		for (const kv of page.keys) {
			if (!isUtf8(kv.key)) {
				events.push(found(kv, null))
				continue
			}
			while (!next.done && Buffer.compare(Buffer.from(next.value.key, 'utf8'), kv.key) < 0) events.push(gone())
			if (!next.done && next.value.key === kv.key.toString('utf8')) {
				const { revision: modRevision, value } = next.value
				next = known.next()
				if (modRevision !== BigInt(kv.mod_revision)) events.push(found(kv, { modRevision, value }))
			} else events.push(found(kv, null))
		}
		yield { revision, events }
	}
	const events: WatchedEvent[] = []
	while (!next.done) {
		events.push(gone())
		if (events.length < 500) continue
		yield { revision, events: events.splice(0) }
	}
	yield { revision, events }
}
