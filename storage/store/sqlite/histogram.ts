// Records per bucket of time. Whole minutes come from counters, the rest from the rows themselves: the numbers are exact.
import type { AuditField, Bucket, Filter } from '#storage/store/port.ts'
import { countFactor, counterSeed, counterSum } from './check.ts'
import { DamageError } from './errors.ts'
import { isCountable, planFor, resolve } from './filter.ts'
import { inOrder, makeBuckets, type Counting } from '#storage/store/buckets.ts'
import { namespaceOf } from '#storage/store/meaning.ts'
import type { Partition } from './partition.ts'
import { dayEnd, firstRow, lastRow, timeOf } from './place.ts'
import { minuteMicros } from './put.ts'
import { kinds, severities } from './schema.ts'
import type { Traits } from './row.ts'
import { scan } from './timeline.ts'

/** minute, cluster, namespace, kind, severity, noise, records, sum */
type Counter = readonly [number, string, string, number, number, number, number, number]

/** The day's counters from one minute up to another, as arrays: there can be many. Throws DamageError where one is not as it was written. */
function countersOf(partition: Partition, filter: Filter, from: number, to: number): readonly Counter[] {
	const conditions = ['minute BETWEEN ? AND ?']
	const values: (number | string)[] = [from, to]
	for (const field of ['cluster', 'namespace'] as const) {
		if (filter[field] === undefined) continue
		conditions.push(`${field} = ?`)
		values.push(filter[field])
	}
	const statement = partition.prepare(`SELECT * FROM minute WHERE ${conditions.join(' AND ')}`)
	statement.setReturnArrays(true)
	const counters = statement.all(...values) as unknown as Counter[]
	const seeds = new Map<string, Map<string, number>>()
	for (const [minute, cluster, namespace, kind, severity, noise, records, sum] of counters) {
		const ofCluster = seeds.get(cluster) ?? new Map<string, number>()
		seeds.set(cluster, ofCluster)
		const seed = ofCluster.get(namespace) ?? counterSeed(cluster, namespace)
		ofCluster.set(namespace, seed)
		if (sum !== counterSum(seed, minute, kind, severity, noise) + records * countFactor)
			throw new DamageError(`a counter of minute ${minute} fails its checksum`)
	}
	return counters
}

/** The bucket of a time: near where equal lengths put it. */
function bucketAt(made: readonly Counting[], time: number): Counting | undefined {
	const first = made[0]?.from ?? 0
	const length = ((made.at(-1)?.to ?? 0) - first + 1) / made.length
	let index = Math.max(0, Math.min(made.length - 1, Math.floor((time - first) / length)))
	while (index > 0 && time < (made[index]?.from ?? 0)) index--
	while (index < made.length - 1 && time > (made[index]?.to ?? 0)) index++
	return made[index]
}

/** Minutes that lie in two buckets or more: their counters do not tell in which. */
function dividedMinutes(made: readonly Counting[], from: number, to: number): ReadonlySet<number> {
	const inner = made.slice(1).map((bucket) => bucket.from)
	return new Set(
		inner.filter((edge) => edge % minuteMicros !== 0 && edge >= from && edge < to).map((edge) => Math.floor(edge / minuteMicros)),
	)
}

export function histogram(partitions: readonly Partition[], filter: Filter, buckets: number): readonly Bucket[] {
	let from = filter.from ?? Number.POSITIVE_INFINITY
	let to = filter.to ?? Number.NEGATIVE_INFINITY
	for (const partition of partitions) {
		for (const span of partition.guard(() => partition.spans()).values()) {
			if (filter.cluster !== undefined && span.cluster !== filter.cluster) continue
			if (filter.from === undefined) from = Math.min(from, Math.max(partition.start, span.atMin))
			if (filter.to === undefined) to = Math.max(to, Math.min(dayEnd(partition.day), span.atMax))
		}
	}
	if (!(from <= to) || !Number.isFinite(from) || !Number.isFinite(to)) return []
	const made = makeBuckets(from, to, buckets)
	const add = (time: number, kind: number, severity: number, records: number): void => {
		const bucket = bucketAt(made, time)
		const name = kinds[kind]
		if (!bucket || !name) return
		bucket.counts[name] = (bucket.counts[name] ?? 0) + records
		if (severity > 0) bucket.warnings += records
	}
	const resolved = resolve(filter, partitions)
	for (const partition of partitions) {
		if (partition.start > to || dayEnd(partition.day) < from) continue
		partition.guard(() => {
			const plan = planFor(partition, resolved)
			const count = (lower: number, upper: number): void => {
				for (const { row, kind, flags } of scan(partition, plan, 'asc', firstRow(partition.start, lower), lastRow(partition.start, upper)))
					add(timeOf(partition.start, row), kind, flags & 3, 1)
			}
			const low = Math.max(from, partition.start)
			const high = Math.min(to, dayEnd(partition.day))
			const lowMinute = Math.ceil(low / minuteMicros) * minuteMicros
			const highMinute = Math.floor((high + 1) / minuteMicros) * minuteMicros
			const divided = dividedMinutes(made, lowMinute, highMinute)
			// With many of them, one way through all rows is shorter.
			if (!isCountable(filter) || divided.size * 2 * minuteMicros >= highMinute - lowMinute) return count(low, high)
			if (low < lowMinute) count(low, lowMinute - 1)
			if (high >= highMinute) count(highMinute, high)
			for (const minute of divided) count(minute * minuteMicros, (minute + 1) * minuteMicros - 1)
			const wanted = filter.include && new Set(filter.include.map((kind) => kinds.indexOf(kind)))
			const severity = filter.severity === undefined ? undefined : severities.indexOf(filter.severity)
			const counters = countersOf(
				partition,
				filter,
				(lowMinute - partition.start) / minuteMicros,
				(highMinute - partition.start) / minuteMicros - 1,
			)
			for (const [minute, , , kind, severe, noise, records] of counters) {
				if ((noise === 1 && filter.noise !== true) || divided.has(partition.start / minuteMicros + minute)) continue
				if ((wanted && !wanted.has(kind)) || (severity !== undefined && severe !== severity)) continue
				add(partition.start + minute * minuteMicros, kind, severe, records)
			}
		})
	}
	return made.map((bucket) => ({ ...bucket, counts: inOrder(bucket.counts) }))
}

/** Counts of the values of one audit field. */
export function auditTop(
	partitions: readonly Partition[],
	filter: Filter,
	by: AuditField,
	limit: number,
): { value: string; count: number }[] {
	const counts = new Map<string, number>()
	const resolved = resolve({ ...filter, include: ['audit'] }, partitions)
	for (const partition of partitions) {
		partition.guard(() => {
			const first = firstRow(partition.start, filter.from ?? 0)
			for (const { traits, obj } of scan(
				partition,
				planFor(partition, resolved),
				'asc',
				first,
				lastRow(partition.start, filter.to ?? Number.MAX_SAFE_INTEGER),
			)) {
				const sent = traits === null ? {} : ((partition.json(traits) as Traits).c ?? {})
				const object = obj === null ? undefined : partition.object(obj)
				let values: readonly unknown[]
				if (by === 'sourceIP') values = sent['sourceIPs'] as readonly string[]
				else if (by === 'resource') values = object ? [object.group === '' ? object.resource : `${object.resource}.${object.group}`] : []
				else if (by === 'namespace') values = object ? [namespaceOf(object)] : []
				else values = [sent[by]]
				for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
			}
		})
	}
	return [...counts]
		.map(([value, count]) => ({ value, count }))
		.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
		.slice(0, limit)
}
