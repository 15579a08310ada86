// The recorded incident that ships with the project: how much of it there is.
import type { WireCluster, WirePage } from '#api/wire.ts'
import { getJson } from '#test/support/program.ts'

export const incident = { versions: 2817, audit: 3363, log: 12_440 } as const

export const clustersOf = (address: string): Promise<WirePage<WireCluster>> => getJson(address, '/api/v1/clusters')
/** Changes and cluster events of the first cluster. */
export const versionsOf = ({ items: [first] }: WirePage<WireCluster>): number => (first?.counts.change ?? 0) + (first?.counts.event ?? 0)
export const isWhole = (page: WirePage<WireCluster>): boolean =>
	versionsOf(page) >= incident.versions &&
	(page.items[0]?.counts.audit ?? 0) >= incident.audit &&
	(page.items[0]?.counts.log ?? 0) >= incident.log
