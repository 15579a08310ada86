// Kafka and Elasticsearch with the roles apart: how soon a record is found, what more processors cost, and where a processor's CPU goes. KUBETAPE_BENCH_PARTS names some of them.
import { join } from 'node:path'
import { freshness } from './distributed/freshness.ts'
import { readIncident } from './distributed/incident.ts'
import { profile } from './distributed/profile.ts'
import { openRig } from './distributed/rig.ts'
import { scale } from './distributed/scale.ts'

export const name = 'distributed'

const parts = { freshness, scale, profile }
const wanted = process.env['KUBETAPE_BENCH_PARTS']?.split(',') ?? Object.keys(parts)

export async function run(print: (line: string) => void): Promise<void> {
	for (const [part, measure] of Object.entries(parts)) {
		if (!wanted.includes(part)) continue
		// Servers of its own for each: none measures what another has left.
		await using rig = await openRig()
		await measure(rig, await readIncident(join(rig.dir, 'incident')), print)
	}
}
