// Objects that rows of a day point to, by number: looked up by identity, by key, by what a filter says.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { resourceName, type ObjectRef } from '#records/object-key.ts'
import { Cache } from './cache.ts'
import { objectSum } from './check.ts'
import { DamageError } from './errors.ts'
import { storeLimits } from './limits.ts'
import type { Shared } from './row.ts'
import type { StoredObject } from './schema.ts'

const columns = 'id, cluster, resource, grp AS "group", namespace, name, kind, uid, sum'

type Read = StoredObject & { readonly sum: number }

/** What the writer found out about an object, for its next record. */
export interface ObjectMemo {
	readonly object: StoredObject
	/** Tags of its namespace and resource. */
	tags?: string
	/** What its last change, and the last event about it, were like, and the number of their traits. */
	change?: Shared & { readonly traits: number | null }
	event?: Shared & { readonly traits: number | null }
	paths?: { readonly facets: readonly string[]; readonly paths: readonly string[]; readonly id: number }
}

export interface ObjectKinds {
	/** Full names of the resources that a kind or a resource (in lower case) names, empty where only the kind is known. */
	readonly byName: ReadonlyMap<string, ReadonlySet<string>>
	readonly all: ReadonlyMap<string, Pick<StoredObject, 'resource' | 'group' | 'kind'>>
}

const noKinds = () => ({
	byName: new Map<string, Set<string>>(),
	all: new Map<string, Pick<StoredObject, 'resource' | 'group' | 'kind'>>(),
})

/** An object and its memo, about. */
const entryBytes = 1000

const refOf = (key: string): ObjectRef => {
	const [full = '', namespace = '', ...name] = key.split('/')
	const dot = full.indexOf('.')
	return {
		resource: dot < 0 ? full : full.slice(0, dot),
		group: dot < 0 ? '' : full.slice(dot + 1),
		namespace: namespace === '-' ? '' : namespace,
		name: name.join('/'),
	}
}

const wellFormed = (text: string): string => (text.isWellFormed() ? text : text.toWellFormed())

export class Objects {
	readonly #db: DatabaseSync
	readonly #byId: StatementSync
	readonly #statements = new Map<string, StatementSync>()
	readonly #cache = new Cache<number, StoredObject>(storeLimits.objectsBytesMax)
	readonly #memos = new Cache<string, ObjectMemo>(storeLimits.objectsBytesMax)
	#kinds = noKinds()
	#kindsLast = 0
	#last: number | undefined

	constructor(db: DatabaseSync) {
		this.#db = db
		this.#byId = db.prepare(`SELECT ${columns} FROM object WHERE id = ?`)
	}

	#prepare(sql: string): StatementSync {
		let statement = this.#statements.get(sql)
		if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
		return statement
	}

	#sound(read: Read): StoredObject {
		if (read.sum !== objectSum(read)) throw new DamageError(`object ${read.id} fails its checksum`)
		this.#cache.set(read.id, read, entryBytes / 2)
		return read
	}

	object(id: number): StoredObject {
		const cached = this.#cache.get(id)
		if (cached) return cached
		const read = this.#byId.get(id) as Read | undefined
		if (!read) throw new DamageError(`object ${id} is missing`)
		return this.#sound(read)
	}

	/** The object's number and memo, of a new one too. */
	memo(cluster: string, ref: ObjectRef, kind: string, uid: string): ObjectMemo {
		// By uid, which is one object mostly; by key where there is none, as in most audit entries.
		const by = uid === '' ? `${ref.resource}\0${ref.namespace}\0${ref.name}` : uid
		const known = this.#memos.use(by, entryBytes)
		if (known && isSame(known.object, cluster, ref, kind, uid)) return known
		const memo = { object: this.#intern(cluster, ref, kind, uid) }
		this.#memos.set(by, memo, entryBytes)
		return memo
	}

	#intern(cluster: string, ref: ObjectRef, kind: string, uid: string): StoredObject {
		const object = {
			cluster: wellFormed(cluster),
			resource: wellFormed(ref.resource),
			group: wellFormed(ref.group),
			namespace: wellFormed(ref.namespace),
			name: wellFormed(ref.name),
			kind: wellFormed(kind),
			uid: wellFormed(uid),
		}
		const values = [object.cluster, object.resource, object.group, object.namespace, object.name, object.kind, object.uid]
		const found = this.#prepare(
			`SELECT ${columns} FROM object WHERE cluster = ? AND resource = ? AND grp = ? AND namespace = ? AND name = ? AND kind = ? AND uid = ?`,
		).get(...values) as Read | undefined
		if (found) return this.#sound(found)
		this.#last ??= (this.#db.prepare('SELECT max(id) AS id FROM object').get() as { id: number | null }).id ?? 0
		const id = ++this.#last
		const stored = { id, ...object }
		this.#prepare('INSERT INTO object(id, cluster, resource, grp, namespace, name, kind, uid, sum) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
			id,
			...values,
			objectSum(stored),
		)
		this.#cache.set(id, stored, entryBytes / 2)
		return stored
	}

	/** All objects that were ever stored under that key, by whatever uid. */
	ofKey(cluster: string, key: string): readonly StoredObject[] {
		const { resource, group, namespace, name } = refOf(key)
		return this.where('cluster = ? AND resource = ? AND grp = ? AND namespace = ? AND name = ?', cluster, resource, group, namespace, name)
	}

	where(condition: string, ...values: readonly string[]): StoredObject[] {
		const found = this.#prepare(`SELECT ${columns} FROM object WHERE ${condition}`).all(...values) as unknown as Read[]
		return found.map((read) => this.#sound(read))
	}

	/** Objects in the order of their keys, in groups of one key, so that not all of them are in memory. */
	*keys(): Generator<readonly StoredObject[]> {
		const same = 'cluster = ? AND resource = ? AND grp = ? AND namespace = ? AND name = ?'
		const sql = `SELECT ${columns} FROM object WHERE (cluster, resource, grp, namespace, name) > (?, ?, ?, ?, ?) ORDER BY cluster, resource, grp, namespace, name LIMIT 1`
		let last = ['', '', '', '', '']
		for (;;) {
			const next = this.#prepare(sql).get(...last) as Read | undefined
			if (!next) return
			last = [next.cluster, next.resource, next.group, next.namespace, next.name]
			yield this.where(same, ...last)
		}
	}

	/** The kinds of the day's objects. */
	kinds(): ObjectKinds {
		const sql = 'SELECT max(id) AS id, kind, resource, grp AS "group" FROM object WHERE id > ? GROUP BY kind, resource, grp'
		type Seen = Pick<StoredObject, 'id' | 'kind' | 'resource' | 'group'>
		for (const { id, kind, resource, group } of this.#prepare(sql).all(this.#kindsLast) as unknown as Seen[]) {
			this.#kindsLast = Math.max(this.#kindsLast, id)
			const full = resourceName({ resource, group })
			this.#kinds.all.set(`${kind}/${full}`, { resource, group, kind })
			for (const name of new Set([kind.toLowerCase(), resource, full])) {
				if (name === '') continue
				const resources = this.#kinds.byName.get(name) ?? new Set()
				this.#kinds.byName.set(name, resources)
				if (resource !== '') resources.add(full)
			}
		}
		return this.#kinds
	}

	/** Forgets what a transaction that was rolled back had added. */
	clear(): void {
		this.#cache.clear()
		this.#memos.clear()
		this.#kinds = noKinds()
		this.#kindsLast = 0
		this.#last = undefined
	}
}

function isSame(object: StoredObject, cluster: string, ref: ObjectRef, kind: string, uid: string): boolean {
	return (
		object.name === ref.name &&
		object.namespace === ref.namespace &&
		object.uid === uid &&
		object.kind === kind &&
		object.resource === ref.resource &&
		object.group === ref.group &&
		object.cluster === cluster
	)
}
