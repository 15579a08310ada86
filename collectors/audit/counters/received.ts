// What has come of a cluster's audit log by one way, each entry once, by when it was written: to be held against what the API server counted.
import type { AuditEntry, KubetapeRecord } from '#records/record.ts'
import type { Micros } from '#records/time.ts'

const second = 1_000_000
/** Entries that are remembered, at most; what is older is not known any more. */
const entriesMax = 400_000
const entriesKept = 300_000
/** Digits of an id that tell it from the others of its second; its time is compared too. */
const digits = 12

type Bucket = Map<number, Micros>

export class ReceivedEntries {
	/** Times of a stage RequestReceived are those of the request: it is counted later. */
	readonly #early = new Map<number, Bucket>()
	readonly #others = new Map<number, Bucket>()
	/** By when they came. */
	#unreadable: { readonly at: Micros; readonly count: number }[] = []
	#size = 0
	#forgottenBefore: Micros = Number.NEGATIVE_INFINITY
	readonly #onNew: (count: number) => void
	/** Whether anything has come at all. */
	any = false

	constructor(onNew: (count: number) => void = () => {}) {
		this.#onNew = onNew
	}

	/** Entries that came before are not counted again. */
	add(records: readonly KubetapeRecord[], now: Micros): void {
		let [unreadable, fresh] = [0, 0]
		for (const record of records) {
			if (record.kind === 'reject') unreadable += 1
			else if (record.kind === 'audit' && this.#keep(record)) fresh += 1
		}
		if (unreadable > 0) this.#unreadable.push({ at: now, count: unreadable })
		if (unreadable + fresh > 0) this.any = true
		if (fresh > 0) this.#onNew(fresh)
		if (this.#size > entriesMax) this.#forgetOldest()
	}

	/** How many written between the two, both included, came at most: what came and could not be read may be any. `earlyMargin`: an entry of the stage RequestReceived is counted so long after its time, at most. */
	atMost(from: Micros, to: Micros, earlyMargin: Micros): number {
		const unreadable = this.#unreadable.reduce((sum, each) => sum + each.count, 0)
		return count(this.#others, from, to) + count(this.#early, from - earlyMargin, to) + unreadable
	}

	/** Whether everything that was written since and came is remembered. */
	knowsSince(at: Micros): boolean {
		return at >= this.#forgottenBefore
	}

	/** `writtenAt`: by the API servers' clocks; `cameAt`: by ours, for what could not be read. */
	forgetBefore(writtenAt: Micros, cameAt: Micros): void {
		for (const buckets of [this.#early, this.#others])
			for (const [start, bucket] of buckets) {
				if ((start + 1) * second > writtenAt) continue
				buckets.delete(start)
				this.#size -= bucket.size
			}
		this.#unreadable = this.#unreadable.filter((each) => each.at >= cameAt)
		this.#forgottenBefore = Math.max(this.#forgottenBefore, writtenAt)
	}

	#keep({ id, stage, occurredAt }: AuditEntry): boolean {
		if (occurredAt < this.#forgottenBefore) return false
		const buckets = stage === 'RequestReceived' ? this.#early : this.#others
		const start = Math.floor(occurredAt / second)
		let bucket = buckets.get(start)
		if (!bucket) buckets.set(start, (bucket = new Map()))
		let key = Number.parseInt(id.slice(-digits), 16)
		// Two ids of one second that end alike.
		while (bucket.has(key) && bucket.get(key) !== occurredAt) key += 1
		if (bucket.has(key)) return false
		bucket.set(key, occurredAt)
		this.#size += 1
		return true
	}

	#forgetOldest(): void {
		const starts = [...new Set([...this.#early.keys(), ...this.#others.keys()])].toSorted((a, b) => a - b)
		let left = this.#size
		let before = Number.NEGATIVE_INFINITY
		for (const start of starts) {
			if (left <= entriesKept) break
			left -= (this.#early.get(start)?.size ?? 0) + (this.#others.get(start)?.size ?? 0)
			before = (start + 1) * second
		}
		this.forgetBefore(before, Number.NEGATIVE_INFINITY)
	}
}

function count(buckets: ReadonlyMap<number, Bucket>, from: Micros, to: Micros): number {
	let found = 0
	for (const [start, bucket] of buckets) {
		const [first, last] = [start * second, (start + 1) * second - 1]
		if (last < from || first > to) continue
		if (first >= from && last <= to) found += bucket.size
		else for (const at of bucket.values()) if (at >= from && at <= to) found += 1
	}
	return found
}
