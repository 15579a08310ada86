// Enrich: owners and labels as of the revision, where the collector could not know them, from the objects seen so far in log order. What is not known stays absent.
import type { Indexed } from '#records/indexed.ts'
import type { OwnerRef } from '#records/record.ts'

const objectsMax = 100_000

interface Known {
	readonly labels: Readonly<Record<string, string>>
	readonly owners: readonly OwnerRef[]
}

/** Stateful in log order: feed it every record once, in the order of its partition. */
export function createEnrich(): (record: Indexed) => Indexed {
	const byUid = new Map<string, Known>()
	return (indexed) => {
		const { record } = indexed
		if (record.kind === 'change') {
			if (record.uid !== '' && !record.folded) {
				byUid.delete(record.uid)
				if (record.operation !== 'deleted') byUid.set(record.uid, { labels: indexed.labels, owners: indexed.owners })
				if (byUid.size > objectsMax) byUid.delete(byUid.keys().next().value ?? '')
			}
			return indexed
		}
		const uid = record.kind === 'event' ? record.regarding.uid : record.kind === 'log' ? record.podUid : ''
		const known = uid === '' ? undefined : byUid.get(uid)
		return known ? { ...indexed, labels: known.labels, owners: known.owners } : indexed
	}
}
