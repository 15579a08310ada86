// Whether an etcd still has the history that was recorded, or was set back to an older state and went on from there: its cluster id and its revisions do not tell.
import { isUtf8 } from 'node:buffer'
import type { KnownObject, LocalState } from '#collectors/local-state.ts'
import type { Revision } from '#records/revision.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { rangeOf, type EtcdClient } from './client.ts'
import type { Position } from './position.ts'

export interface HistoryOptions {
	readonly prefix: string
	readonly pageKeys: number
}

/**
 * The last value that was recorded is asked for at its revision. Where that is compacted and the key was written since, all keys are gone through: one
 * that was written up to the position must be known, at that revision. Only a history whose every write up to the position was written over since passes
 * for the recorded one; none of its revisions is one that was recorded.
 */
export async function isSameHistory(client: EtcdClient, state: LocalState, position: Position, options: HistoryOptions): Promise<boolean> {
	const known = position.witness === undefined ? undefined : state.get(position.witness)
	if (!known) return true
	const then = await readAt(client, known.key, known.revision)
	if (then !== 'compacted') return isKnown(then, known)
	const now = await readAt(client, known.key, undefined)
	if (now !== 'compacted' && now && now.revision <= known.revision) return isKnown(now, known)
	return hasKnownKeys(client, state, position, options)
}

type Found = Pick<KnownObject, 'revision' | 'value'> | undefined

function isKnown(found: Found, known: KnownObject): boolean {
	return found !== undefined && found.revision === known.revision && Buffer.compare(found.value, known.value) === 0
}

async function readAt(client: EtcdClient, key: string, revision: Revision | undefined): Promise<Found | 'compacted'> {
	try {
		const { kvs } = await client.range({ key: Buffer.from(key), ...(revision === undefined ? {} : { revision: revision.toString() }) })
		return kvs[0] && { revision: BigInt(kvs[0].mod_revision), value: kvs[0].value }
	} catch (error) {
		if (error instanceof KubetapeError && error.code === 'ETCD_COMPACTED') return 'compacted'
		throw error
	}
}

async function hasKnownKeys(client: EtcdClient, state: LocalState, position: Position, options: HistoryOptions): Promise<boolean> {
	const range = rangeOf(options.prefix)
	let key = range.key
	for (;;) {
		const { kvs, more } = await client.range({ key, range_end: range.range_end, limit: options.pageKeys, keys_only: true })
		for (const kv of kvs) {
			// Keys that are no text are not kept.
			if (!isUtf8(kv.key)) continue
			const revision = BigInt(kv.mod_revision)
			const known = state.get(kv.key.toString('utf8'))
			if (
				known ? known.revision > revision || (revision <= position.revision && known.revision !== revision) : revision <= position.revision
			)
				return false
		}
		const last = kvs.at(-1)
		if (!more || !last) return true
		key = Buffer.concat([last.key, Buffer.from([0])])
	}
}
