// Whether a group goes on: what lags in each partition, and for how long nothing of it was committed.
import type { Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import type { Lag, Position } from '#storage/log/port.ts'

/** A partition with records behind its position, and no commit for so long, is stuck. Longer than the longest wait between two tries of a put. */
export const stuckMsMax = 60_000

interface Partition {
	readonly lag: bigint
	/** Where the group stood in it. */
	readonly next: bigint
	/** When it last moved: was committed, by whatever process, or had no lag. */
	readonly movedAt: Micros
}

const nameOf = ({ stream, partition }: Pick<Lag, 'stream' | 'partition'>): string => `${stream}/${partition}`

export interface Progress {
	committed(positions: readonly Position[]): void
	/** What the log says of every partition. Partitions that it no longer tells are another process's now. */
	lags(lags: readonly Lag[]): void
	/** Partitions in which records wait and nothing moves: `records/3: 1200 records, nothing committed for 75 s`. */
	stuck(): readonly string[]
}

export function createProgress(clock: Clock): Progress {
	let partitions = new Map<string, Partition>()
	return {
		committed(positions) {
			for (const position of positions)
				partitions.set(nameOf(position), {
					lag: partitions.get(nameOf(position))?.lag ?? 0n,
					next: position.offset,
					movedAt: clock.nowMicros(),
				})
		},
		lags(lags) {
			const now = clock.nowMicros()
			partitions = new Map(
				lags.map((lag) => {
					const known = partitions.get(nameOf(lag))
					// The time runs from when records first waited: an idle partition has stood still for long, and is not stuck.
					const waited = known !== undefined && known.lag > 0n && lag.records > 0n && lag.next <= known.next
					return [nameOf(lag), { lag: lag.records, next: lag.next, movedAt: waited ? known.movedAt : now }]
				}),
			)
		},
		stuck() {
			const now = clock.nowMicros()
			return [...partitions]
				.filter(([, { lag, movedAt }]) => lag > 0n && now - movedAt > stuckMsMax * 1000)
				.map(([name, { lag, movedAt }]) => `${name}: ${lag} records, nothing committed for ${Math.floor((now - movedAt) / 1e6)} s`)
		},
	}
}
