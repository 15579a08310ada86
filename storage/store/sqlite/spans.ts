// What a day holds, per cluster, kind and space: which days can have an id, a revision, a time.
import { spanSum } from './check.ts'
import { DamageError } from './errors.ts'

export interface Span {
	readonly cluster: string
	readonly kind: number
	readonly space: string
	records: number
	idMin: string
	idMax: string
	atMin: number
	atMax: number
	revMin: bigint
	revMax: bigint
}

export interface StoredSpan {
	readonly cluster: string
	readonly kind: number
	readonly space: string
	readonly records: number
	readonly id_min: Uint8Array
	readonly id_max: Uint8Array
	readonly at_min: number
	readonly at_max: number
	readonly rev_min: string
	readonly rev_max: string
	readonly sum: number
}

/** By cluster, kind and space. Throws DamageError where one is not as it was written. */
export function spansOf(rows: readonly StoredSpan[]): Map<string, Span> {
	return new Map(rows.map((row) => [`${row.cluster}\0${row.kind}\0${row.space}`, spanOf(row)]))
}

function spanOf(row: StoredSpan): Span {
	const revision = (text: unknown): bigint => (typeof text === 'string' && /^\d{1,19}$/.test(text) ? BigInt(text) : -1n)
	const span = {
		cluster: row.cluster,
		kind: row.kind,
		space: row.space,
		records: row.records,
		idMin: Buffer.from(row.id_min).toString('hex'),
		idMax: Buffer.from(row.id_max).toString('hex'),
		atMin: row.at_min,
		atMax: row.at_max,
		revMin: revision(row.rev_min),
		revMax: revision(row.rev_max),
	}
	if (row.sum !== sumOfSpan(span)) throw new DamageError('a row of span fails its checksum')
	return span
}

export function sumOfSpan(span: Span): number {
	return spanSum(
		[span.cluster, span.space, span.idMin, span.idMax, span.revMin.toString(), span.revMax.toString()],
		[span.kind, span.records, span.atMin, span.atMax],
	)
}
