// What was found out about log lines after they were stored: their traits are written anew, and the node becomes a tag.
import type { Amendment } from '#storage/store/port.ts'
import { rowSum } from './check.ts'
import type { Partition } from './partition.ts'
import type { Traits } from './row.ts'
import { kinds, type Row } from './schema.ts'
import { tagPrefix } from './words.ts'

const logKind = kinds.indexOf('log')

function traitsWith(before: Traits, { labels, owners, images, node }: Amendment): Traits {
	const c = before.c && before.c['node'] === '' ? { ...before.c, node } : before.c
	return {
		...(Object.keys(labels).length > 0 ? { l: labels } : {}),
		...(owners.length > 0 ? { o: owners } : {}),
		...(images.length > 0 ? { i: images } : {}),
		...(c ? { c } : {}),
	}
}

/** Those whose ids are within what the day holds. */
export function heldIn(partition: Partition, amendments: readonly Amendment[]): readonly Amendment[] {
	return amendments.filter(({ id }) => partition.mayHold(id))
}

/** Those of the amendments whose line is in this day, in one transaction. */
export function amendDay(partition: Partition, cluster: string, amendments: readonly Amendment[]): void {
	const held = heldIn(partition, amendments).flatMap((amendment) => {
		const row = partition.guard(() => partition.rowById(amendment.id))
		return row?.kind === logKind && clusterOf(partition, row) === cluster ? [{ amendment, row }] : []
	})
	if (held.length === 0) return
	partition.transact(() => {
		for (const { amendment, row } of held) amendRow(partition, row, amendment)
	})
}

const clusterOf = (partition: Partition, row: Row): string =>
	row.obj === null ? partition.text(row.space ?? 0) : partition.object(row.obj).cluster

function amendRow(partition: Partition, row: Row, amendment: Amendment): void {
	const before = row.traits === null ? {} : (partition.json(row.traits) as Traits)
	const after = traitsWith(before, amendment)
	const traits = partition.intern(JSON.stringify(after))
	partition.prepare('UPDATE record SET traits = ?, sum = ? WHERE row = ?').run(traits, rowSum(row.row, { ...row, traits }), row.row)
	const node = after.c?.['node']
	if (typeof node !== 'string' || node === '' || node === before.c?.['node']) return
	// The index keeps no texts: a further entry under the same number adds its words to those that are there.
	partition.prepare('INSERT INTO words(rowid, text, tags) VALUES(?, ?, ?)').run(row.row, '', `${tagPrefix}i${partition.intern(node)}`)
}
