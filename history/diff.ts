// What differs between two versions of an object, path by path; lists are compared by their keys as Kubernetes merges them.
import { isRawNumber } from '#records/exact-json.ts'
import type { Facet } from '#records/indexed.ts'
import { textOf } from './text.ts'

export interface FieldChange {
	/** `spec.template.spec.containers[web].image`, `metadata.labels["app.kubernetes.io/name"]`. */
	readonly path: string
	readonly facet: Facet
	readonly op: 'added' | 'removed' | 'changed'
	readonly before?: unknown
	readonly after?: unknown
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** patchMergeKey of the built-in types (k8s.io/api …/types.go), and what identifies an item where they name none. */
const listKeys: ReadonlyMap<string, readonly (readonly string[])[]> = new Map(
	Object.entries({
		conditions: [['type']],
		ports: [['name'], ['containerPort', 'protocol'], ['port', 'protocol']],
		volumeMounts: [['mountPath']],
		ownerReferences: [['uid']],
		addresses: [['type', 'address'], ['type']],
		tolerations: [['key', 'operator', 'effect', 'value']],
		taints: [['key', 'effect']],
		subjects: [['kind', 'namespace', 'name']],
	}),
)
const byName: readonly (readonly string[])[] = [['name']]

/** Never reported: they change with every write and say nothing by themselves. */
const leftOut = new Set(['metadata.managedFields', 'metadata.resourceVersion', 'metadata.generation', 'metadata.selfLink'])

function facetOf(top: string): Facet {
	if (top === 'status' || top === 'metadata') return top
	return top === 'data' || top === 'binaryData' || top === 'stringData' ? 'data' : 'spec'
}

const plainKey = /^[A-Za-z_$][\w$-]*$/

function step(path: string, key: string): string {
	if (!plainKey.test(key)) return `${path}[${JSON.stringify(key)}]`
	return path === '' ? key : `${path}.${key}`
}

/** Changes in the order of the document; empty where nothing differs. `kind` and `apiVersion` are compared too. */
export function diff(before: Fields, after: Fields): readonly FieldChange[] {
	const changes: FieldChange[] = []
	for (const key of keysOf(before, after)) {
		const [old, now] = [own(before, key), own(after, key)]
		if (!same(old, now)) compare(old, now, step('', key), key, facetOf(key), changes)
	}
	return changes
}

/** Equal as JSON, whatever the order of keys. Most of an object is what it was: this is told much faster than what differs. */
function same(before: unknown, after: unknown): boolean {
	if (before === after) return true
	if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return false
	if (Array.isArray(before)) {
		if (!Array.isArray(after) || before.length !== after.length) return false
		for (let index = 0; index < before.length; index++) if (!same(before[index], after[index])) return false
		return true
	}
	if (Array.isArray(after)) return false
	let keys = 0
	for (const key in before) {
		// An object always answers to this name: only the slow way tells whose it is.
		if (key === '__proto__' || !same((before as Fields)[key], (after as Fields)[key])) return false
		keys += 1
	}
	for (const _ in after) keys -= 1
	return keys === 0
}

/** Keys come from foreign objects: `toString` is a key like another. */
function own(object: Fields, key: string): unknown {
	return Object.hasOwn(object, key) ? object[key] : undefined
}

function keysOf(before: Fields, after: Fields): readonly string[] {
	const keys = Object.keys(after)
	for (const key in before) if (!Object.hasOwn(after, key)) keys.push(key)
	return keys
}

function compare(before: unknown, after: unknown, path: string, key: string, facet: Facet, changes: FieldChange[]): void {
	if (before === after || leftOut.has(path)) return
	if (before === undefined) changes.push({ path, facet, op: 'added', after })
	else if (after === undefined) changes.push({ path, facet, op: 'removed', before })
	else if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, key, facet, changes)
	else if (isFields(before) && isFields(after) && !isRawNumber(before) && !isRawNumber(after)) {
		for (const name of keysOf(before, after)) {
			const [old, now] = [own(before, name), own(after, name)]
			if (!same(old, now)) compare(old, now, step(path, name), name, facet, changes)
		}
	} else changes.push({ path, facet, op: 'changed', before, after })
}

function compareLists(
	before: readonly unknown[],
	after: readonly unknown[],
	path: string,
	key: string,
	facet: Facet,
	changes: FieldChange[],
): void {
	const fields = (listKeys.get(key) ?? byName).find((candidate) => identifies(before, candidate) && identifies(after, candidate))
	if (fields) return compareKeyed(before as readonly Fields[], after as readonly Fields[], fields, path, key, facet, changes)
	if (before.every(isScalar) && after.every(isScalar)) return compareScalars(before, after, path, facet, changes)
	for (let index = 0; index < Math.max(before.length, after.length); index++) {
		compare(before[index], after[index], `${path}[${index}]`, key, facet, changes)
	}
}

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

function identityOf(item: Fields, fields: readonly string[]): string {
	const [only, second] = fields
	if (only !== undefined && second === undefined) return textOf(item[only])
	return fields.map((field) => textOf(item[field])).join('/')
}

/** All items are objects that have the first field, and no two have the same identity. */
function identifies(list: readonly unknown[], fields: readonly string[]): boolean {
	const seen = new Set<string>()
	for (const item of list) {
		if (!isFields(item) || !isScalar(item[fields[0] ?? '']) || item[fields[0] ?? ''] === undefined) return false
		seen.add(identityOf(item, fields))
	}
	return seen.size === list.length
}

function compareKeyed(
	before: readonly Fields[],
	after: readonly Fields[],
	fields: readonly string[],
	path: string,
	key: string,
	facet: Facet,
	changes: FieldChange[],
): void {
	const old = new Map(before.map((item) => [identityOf(item, fields), item]))
	for (const item of after) {
		const identity = identityOf(item, fields)
		const known = old.get(identity)
		if (!same(known, item)) compare(known, item, `${path}[${identity}]`, key, facet, changes)
		old.delete(identity)
	}
	for (const [identity, item] of old) changes.push({ path: `${path}[${identity}]`, facet, op: 'removed', before: item })
}

/** Lists of scalars are sets to their readers: what came and what went; a mere change of order is one change of the whole. */
function compareScalars(before: readonly unknown[], after: readonly unknown[], path: string, facet: Facet, changes: FieldChange[]): void {
	if (before.length === after.length && before.every((item, index) => item === after[index])) return
	const ordered = before.length === after.length && new Set(before).size === new Set([...before, ...after]).size
	if (ordered || /command|args$/.test(path)) changes.push({ path, facet, op: 'changed', before, after })
	else {
		const [old, now] = [new Set(before), new Set(after)]
		for (const item of now) if (!old.has(item)) changes.push({ path: `${path}[${JSON.stringify(item)}]`, facet, op: 'added', after: item })
		for (const item of old)
			if (!now.has(item)) changes.push({ path: `${path}[${JSON.stringify(item)}]`, facet, op: 'removed', before: item })
		if (changes.length === 0) changes.push({ path, facet, op: 'changed', before, after })
	}
}
