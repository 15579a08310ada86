// One day: its file, its prepared statements, and the texts and objects its rows point to.
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { objectKey } from '#records/object-key.ts'
import type { SqliteStoreConfig } from './config.ts'
import { Bodies } from './bodies.ts'
import { DamageError, storageError } from './errors.ts'
import { storeLimits } from './limits.ts'
import { dayStart } from './place.ts'
import { readColumns, schema, schemaVersion, type Row, type StoredObject } from './schema.ts'

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

export function suffixes(path: string): readonly string[] {
	return [path, `${path}-wal`, `${path}-shm`]
}

function configure(db: DatabaseSync, config: SqliteStoreConfig, readOnly: boolean): void {
	db.exec(`PRAGMA busy_timeout = ${storeLimits.busyTimeoutMs}; PRAGMA cache_size = -${config.cacheKibibytes}; PRAGMA temp_store = MEMORY;`)
	if (!readOnly) db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${config.synchronous}; PRAGMA wal_autocheckpoint = 4000;`)
}

/** Makes a new day under another name first, so that readers never see half a schema. `fill` writes its keyframe. */
export function createDay(dir: string, day: string, config: SqliteStoreConfig, fill: (partition: Partition) => void): void {
	const making = join(dir, `${day}.making`)
	for (const path of suffixes(making)) rmSync(path, { force: true })
	try {
		const db = new DatabaseSync(making)
		try {
			db.exec('PRAGMA page_size = 8192')
			db.exec(schema)
			db.exec(`INSERT INTO words(words, rank) VALUES('hashsize', 8388608)`)
		} finally {
			db.close()
		}
		const partition = new Partition(dir, day, config, false, making)
		try {
			partition.db.exec('BEGIN IMMEDIATE')
			fill(partition)
			partition.db.exec('COMMIT')
			partition.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
		} finally {
			partition.close()
		}
		renameSync(making, join(dir, `${day}.db`))
	} catch (error) {
		for (const path of suffixes(making)) rmSync(path, { force: true })
		throw storageError(error, `${day}.db`)
	}
}

export class Partition {
	readonly day: string
	readonly start: number
	readonly path: string
	readonly db: DatabaseSync
	readonly bodies: Bodies
	readonly #statements = new Map<string, StatementSync>()
	readonly #textById = new Map<number, string>()
	readonly #idByText = new Map<string, number>()
	readonly #parsed = new Map<number, unknown>()
	readonly #objects = new Map<number, StoredObject>()
	readonly #objectIds = new Map<string, number>()
	readonly #byKey = new Map<string, StoredObject[]>()
	#objectLast = 0
	#spans: Map<string, Span> | undefined
	#version = -1

	constructor(dir: string, day: string, config: SqliteStoreConfig, readOnly: boolean, path = join(dir, `${day}.db`)) {
		this.day = day
		this.start = dayStart(day)
		this.path = path
		this.db = new DatabaseSync(path, { readOnly })
		try {
			configure(this.db, config, readOnly)
			const version = (this.db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
			if (version !== schemaVersion) throw new DamageError(`schema version ${version}, not ${schemaVersion}`)
			this.bodies = new Bodies(this.db, readOnly)
		} catch (error) {
			this.db.close()
			throw storageError(error, `${day}.db`)
		}
	}

	/** The statement, prepared once. */
	prepare(sql: string): StatementSync {
		let statement = this.#statements.get(sql)
		if (!statement) {
			statement = this.db.prepare(sql)
			this.#statements.set(sql, statement)
		}
		return statement
	}

	all<T>(sql: string, ...values: readonly (string | number | bigint | Uint8Array | null)[]): T[] {
		return this.prepare(sql).all(...values) as T[]
	}

	get<T>(sql: string, ...values: readonly (string | number | bigint | Uint8Array | null)[]): T | undefined {
		return this.prepare(sql).get(...values) as T | undefined
	}

	/** Runs `work` with errors named after this day. */
	guard<T>(work: () => T): T {
		try {
			return work()
		} catch (error) {
			throw storageError(error, `${this.day}.db`)
		}
	}

	intern(text: string): number {
		const known = this.findText(text)
		if (known !== undefined) return known
		const id = Number(this.prepare('INSERT INTO text(text) VALUES(?)').run(text).lastInsertRowid)
		this.#keepText(id, text)
		return id
	}

	findText(text: string): number | undefined {
		const cached = this.#idByText.get(text)
		if (cached !== undefined) return cached
		const row = this.get<{ id: number }>('SELECT id FROM text WHERE text = ?', text)
		if (row) this.#keepText(row.id, text)
		return row?.id
	}

	text(id: number): string {
		const cached = this.#textById.get(id)
		if (cached !== undefined) return cached
		const row = this.get<{ text: string }>('SELECT text FROM text WHERE id = ?', id)
		if (!row) throw new DamageError(`text ${id} is missing`)
		this.#keepText(id, row.text)
		return row.text
	}

	/** An interned text that is JSON, parsed once. */
	json(id: number): unknown {
		let value = this.#parsed.get(id)
		if (value === undefined) {
			value = JSON.parse(this.text(id))
			if (this.#parsed.size > storeLimits.wordsCachedMax) this.#parsed.clear()
			this.#parsed.set(id, value)
		}
		return value
	}

	#keepText(id: number, text: string): void {
		if (this.#textById.size > storeLimits.wordsCachedMax) {
			this.#textById.clear()
			this.#idByText.clear()
		}
		this.#textById.set(id, text)
		this.#idByText.set(text, id)
	}

	internObject(
		cluster: string,
		ref: { resource: string; group: string; namespace: string; name: string },
		kind: string,
		uid: string,
	): number {
		const text = `${cluster}\0${ref.resource}\0${ref.group}\0${ref.namespace}\0${ref.name}\0${kind}\0${uid}`
		const known = this.#objectIds.get(text)
		if (known !== undefined) return known
		this.loadObjects()
		const loaded = this.#objectIds.get(text)
		if (loaded !== undefined) return loaded
		const sql = 'INSERT INTO object(cluster, resource, grp, namespace, name, kind, uid) VALUES(?, ?, ?, ?, ?, ?, ?)'
		this.prepare(sql).run(cluster, ref.resource, ref.group, ref.namespace, ref.name, kind, uid)
		this.loadObjects()
		return this.#objectIds.get(text) ?? 0
	}

	object(id: number): StoredObject {
		let object = this.#objects.get(id)
		if (!object) {
			this.loadObjects()
			object = this.#objects.get(id)
		}
		if (!object) throw new DamageError(`object ${id} is missing`)
		return object
	}

	objects(): Iterable<StoredObject> {
		this.loadObjects()
		return this.#objects.values()
	}

	/** All objects that were ever stored under that key, by whatever uid. */
	objectsOf(cluster: string, key: string): readonly StoredObject[] {
		this.loadObjects()
		return this.#byKey.get(`${cluster}\0${key}`) ?? []
	}

	keys(): Iterable<readonly StoredObject[]> {
		this.loadObjects()
		return this.#byKey.values()
	}

	/** Takes in what was added since; objects are only ever added. */
	loadObjects(): void {
		const sql = 'SELECT id, cluster, resource, grp AS "group", namespace, name, kind, uid FROM object WHERE id > ?'
		for (const object of this.all<StoredObject>(sql, this.#objectLast)) {
			this.#objectLast = object.id
			this.#objects.set(object.id, object)
			this.#objectIds.set(
				`${object.cluster}\0${object.resource}\0${object.group}\0${object.namespace}\0${object.name}\0${object.kind}\0${object.uid}`,
				object.id,
			)
			const key = `${object.cluster}\0${objectKey(object)}`
			const same = this.#byKey.get(key)
			if (same) same.push(object)
			else this.#byKey.set(key, [object])
		}
	}

	/** What the day holds, per cluster, kind and space. */
	spans(): Map<string, Span> {
		const version = this.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0
		if (this.#spans && version === this.#version) return this.#spans
		this.#version = version
		this.#spans = new Map()
		type Stored = {
			cluster: string
			kind: number
			space: string
			records: number
			id_min: Uint8Array
			id_max: Uint8Array
			at_min: number
			at_max: number
			rev_min: string
			rev_max: string
		}
		for (const row of this.all<Stored>('SELECT * FROM span')) {
			this.#spans.set(`${row.cluster}\0${row.kind}\0${row.space}`, {
				cluster: row.cluster,
				kind: row.kind,
				space: row.space,
				records: row.records,
				idMin: Buffer.from(row.id_min).toString('hex'),
				idMax: Buffer.from(row.id_max).toString('hex'),
				atMin: row.at_min,
				atMax: row.at_max,
				revMin: BigInt(row.rev_min),
				revMax: BigInt(row.rev_max),
			})
		}
		return this.#spans
	}

	row(row: number): Row | undefined {
		return this.get<Row>(`SELECT row, ${readColumns} FROM record WHERE row = ?`, row)
	}

	rowOfId(id: string): number | undefined {
		return this.get<{ row: number }>('SELECT row FROM record WHERE id = ?', Buffer.from(id, 'hex'))?.row
	}

	/** From here to `end`, reads see one state of the day. */
	begin(): void {
		this.guard(() => this.db.exec('BEGIN'))
	}

	end(): void {
		if (this.db.isOpen && this.db.isTransaction) this.db.exec('COMMIT')
	}

	/** Forgets what a transaction that was rolled back had added. */
	reset(): void {
		for (const cache of [this.#textById, this.#idByText, this.#parsed, this.#objects, this.#objectIds, this.#byKey]) cache.clear()
		this.#objectLast = 0
		this.#spans = undefined
		this.bodies.forget()
	}

	close(): void {
		if (this.db.isOpen) this.db.close()
	}
}
