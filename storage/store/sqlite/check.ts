// Checksums of rows. Each value is mixed in by a step that can be undone: one value that differs always makes another sum.
import { crc32 } from 'node:zlib'
import type { StoredRow } from './schema.ts'

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)
const odd = 0x9e3779b1
/** Stand for what is no number or no text, as a damaged row can have in any column. */
const nothing = 0x7ff10001
const foreign = 0x7ff20002
/** Of a row's sum, the lower part is of the columns by which records are found, so that a search need not read the others. */
const narrowSize = 2 ** 20

function mix(sum: number, value: number): number {
	const product = Math.imul(sum ^ value, odd)
	return (product << 13) | (product >>> 19)
}

export function mixNumber(sum: number, value: unknown): number {
	if (value === null) return mix(sum, nothing)
	if (typeof value !== 'number') return mix(sum, foreign)
	// + 0: SQLite keeps -0 as 0.
	double[0] = value + 0
	return mix(mix(sum, halves[0] ?? 0), halves[1] ?? 0)
}

export function mixText(sum: number, value: unknown): number {
	if (value === null) return mix(sum, nothing)
	if (typeof value !== 'string') return mix(sum, foreign)
	let mixed = mix(sum, value.length)
	for (let index = 0; index < value.length; index++) mixed = mix(mixed, value.charCodeAt(index))
	return mixed
}

/** Sums as they are stored: unsigned. */
export const sealed = (sum: number): number => (sum ^ (sum >>> 15)) >>> 0

function mixBytes(sum: number, value: Uint8Array): number {
	let mixed = mix(sum, value.length)
	for (let index = 0; index < value.length; index++) mixed = mix(mixed, value[index] ?? 0)
	return mixed
}

/** A revision beyond 2^53 comes as a bigint when it is written and as text when it is read. */
function mixRevision(sum: number, value: unknown): number {
	if (value === null || typeof value === 'number') return mixNumber(sum, value)
	if (typeof value !== 'bigint' && !(typeof value === 'string' && /^-?\d+$/.test(value))) return mix(sum, foreign)
	const number = Number(value)
	if (Number.isSafeInteger(number)) return mixNumber(sum, number)
	const whole = BigInt(value)
	return mix(mix(sum, Number(whole & 0xffff_ffffn)), Number((whole >> 32n) & 0xffff_ffffn))
}

type Narrow = Pick<StoredRow, 'kind' | 'obj' | 'space' | 'flags' | 'traits'>

function narrowSum(number: number, row: Narrow): number {
	let sum = mixNumber(0x6b74, number)
	sum = mixNumber(sum, row.kind)
	sum = mixNumber(sum, row.obj)
	sum = mixNumber(sum, row.space)
	sum = mixNumber(sum, row.flags)
	return mixNumber(sum, row.traits)
}

/** Of a row of `record`, or with another seed of `keyframe`, whose number does not count. */
export function rowSum(number: number, row: StoredRow, seed = 0): number {
	const narrow = narrowSum(number, row)
	let sum = mix(narrow, seed)
	sum = row.id instanceof Uint8Array ? mixBytes(sum, row.id) : mix(sum, foreign)
	sum = mixNumber(sum, row.own)
	sum = mixRevision(sum, row.rev)
	sum = mixNumber(sum, row.op)
	sum = mixNumber(sum, row.paths)
	sum = mixText(sum, row.summary)
	sum = mixText(sum, row.rest)
	sum = mixNumber(sum, row.observed)
	sum = mixNumber(sum, row.bound)
	sum = mixNumber(sum, row.source)
	sum = mixNumber(sum, row.body)
	return sealed(mixNumber(sum, row.at)) * narrowSize + (sealed(narrow) % narrowSize)
}

export function isSoundNarrow(row: Narrow & { readonly row: number; readonly sum: unknown }): boolean {
	return typeof row.sum === 'number' && row.sum % narrowSize === sealed(narrowSum(row.row, row)) % narrowSize
}

export const keyframeSeed = (cluster: string, key: string): number => mixText(mixText(1, cluster), key)

export function textSum(id: number, text: unknown): number {
	return sealed(mixText(mixNumber(2, id), text))
}

export function objectSum(object: {
	readonly id: number
	readonly cluster: unknown
	readonly resource: unknown
	readonly group: unknown
	readonly namespace: unknown
	readonly name: unknown
	readonly kind: unknown
	readonly uid: unknown
}): number {
	let sum = mixText(mixNumber(3, object.id), object.cluster)
	sum = mixText(mixText(sum, object.resource), object.group)
	sum = mixText(mixText(sum, object.namespace), object.name)
	return sealed(mixText(mixText(sum, object.kind), object.uid))
}

export function ownerSum(uid: unknown, obj: unknown): number {
	return sealed(mixNumber(mixText(4, uid), obj))
}

export function chunkSum(id: number, base: unknown, ends: Uint8Array, data: Uint8Array): number {
	return sealed(mix(mix(mixNumber(mixNumber(5, id), base), crc32(ends)), crc32(data)))
}

export function putSum(seq: unknown, rows: Uint8Array): number {
	return sealed(mix(mixNumber(6, seq), crc32(rows)))
}

export function spanSum(texts: readonly unknown[], numbers: readonly unknown[]): number {
	let sum = 7
	for (const text of texts) sum = mixText(sum, text)
	for (const number of numbers) sum = mixNumber(sum, number)
	return sealed(sum)
}

/** Counters grow in place, by a statement that cannot mix: their sum is linear in the count. */
export const countFactor = 1_000_003

/** Of counters of a cluster and namespace. */
export const counterSeed = (cluster: unknown, namespace: unknown): number => mixText(mixText(8, cluster), namespace)

/** Of a counter that counts nothing. */
export function counterSum(seed: number, minute: unknown, kind: unknown, severity: unknown, noise: unknown): number {
	return sealed(mixNumber(mixNumber(mixNumber(mixNumber(seed, minute), kind), severity), noise))
}
