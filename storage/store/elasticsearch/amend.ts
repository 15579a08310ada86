// What was found out about log lines after they were stored: each is read, and written anew on condition that nobody did so meanwhile.
import { isDeepStrictEqual } from 'node:util'
import type { Amendment } from '#storage/store/port.ts'
import type { Line } from './document.ts'
import { item, term } from './filter.ts'
import type { Hit, Source } from './item.ts'
import { elasticLimits } from './limits.ts'
import type { Searcher } from './search.ts'

function itemWith(before: Source['kubetape']['item'], { labels, owners, images, node }: Amendment): Source['kubetape']['item'] {
	const { labels: _labels, owners: _owners, images: _images, log, ...rest } = before
	const line = log as Readonly<Record<string, unknown>> | undefined
	return {
		...rest,
		...(Object.keys(labels).length > 0 ? { labels } : {}),
		...(owners.length > 0 ? { owners } : {}),
		...(images.length > 0 ? { images } : {}),
		log: node !== '' && (line?.['node'] ?? '') === '' ? { ...line, node } : line,
	}
}

/** Undefined where it is so already. */
function lineOf(
	{ _index: index, _id: id, _source: source, _seq_no: seqNo, _primary_term: term_ }: Hit,
	amendment: Amendment,
): Line | undefined {
	const { kubetape } = source
	const before = kubetape.plain?.item ?? kubetape.item
	const after = itemWith(before, amendment)
	if (isDeepStrictEqual(before, after)) return undefined
	const changed = kubetape.plain ? { plain: { ...kubetape.plain, item: after } } : { item: after }
	const document = { ...source, kubetape: { ...kubetape, ...changed, first: kubetape.first ?? seqNo } }
	const action = { index: { _index: index, _id: id, if_seq_no: seqNo, if_primary_term: term_ } }
	return { id, index, bytes: Buffer.from(`${JSON.stringify(action)}\n${JSON.stringify(document)}\n`) }
}

/** The lines of those that are there and are otherwise. */
export async function amendLines(searcher: Searcher, cluster: string, amendments: readonly Amendment[]): Promise<readonly Line[]> {
	const byId = new Map(amendments.map((amendment) => [amendment.id, amendment]))
	const ids = [...byId.keys()]
	const lines: Line[] = []
	for (let at = 0; at < ids.length; at += elasticLimits.idsAtOnce) {
		const values = ids.slice(at, at + elasticLimits.idsAtOnce)
		const query = { bool: { filter: [{ ids: { values } }, term(item('cluster'), cluster), term(item('kind'), 'log')] } }
		for (const hit of await searcher.hits(searcher.names.every(['logs']), {
			query,
			size: values.length,
			seqNo: true,
			withoutBodies: true,
		})) {
			const amendment = byId.get(hit._id)
			const line = amendment && lineOf(hit, amendment)
			if (line) lines.push(line)
		}
	}
	return lines
}
