// Tables of one day. Row columns are the same in `record` and `keyframe`.
import type { RecordKind, Operation, Sighting, Encoding } from '#records/record.ts'
import type { Severity } from '#records/indexed.ts'

export const schemaVersion = 2
export const pageBytes = 8192
export const kinds: readonly RecordKind[] = ['change', 'event', 'audit', 'log', 'gap', 'coverage', 'reject']
export const operations: readonly Operation[] = ['created', 'updated', 'deleted']
export const severities: readonly Severity[] = ['normal', 'warning', 'error']
export const sightings: readonly Sighting[] = ['watch', 'snapshot', 'gap']
export const encodings: readonly Encoding[] = ['protobuf', 'json', 'api', 'encrypted', 'raw']
/** flags: severity (2 bits), noise, sighting (2 bits), encoding (3 bits). */
export const noiseFlag = 4
export const sightingShift = 3
export const encodingShift = 5

export const rowColumns = 'kind, id, obj, own, space, rev, op, flags, traits, paths, summary, rest, observed, bound, source, body, at, sum'
const columns = `kind INTEGER NOT NULL, id BLOB NOT NULL, obj INTEGER, own INTEGER, space INTEGER, rev INTEGER, op INTEGER, flags INTEGER NOT NULL,
	traits INTEGER, paths INTEGER, summary TEXT NOT NULL, rest TEXT, observed INTEGER NOT NULL, bound INTEGER NOT NULL, source INTEGER NOT NULL, body INTEGER, at INTEGER, sum INTEGER NOT NULL`

/** The object index is divided by time (2^31 µs, about 36 minutes): what is put now goes to few of its pages, however many objects the day has. */
const bucketBits = 47
export const bucketOf = (row: number): number => Math.floor(row / 2 ** bucketBits)
/** Of `record` in an SQL statement; as in the index, or it is not used. */
export const bucketExpression = `(row >> ${bucketBits})`
/** All buckets of a day, as a common table expression. */
export const bucketsTable = `WITH bucket(n) AS (VALUES ${Array.from({ length: bucketOf(86_400_000_000 * 65_536) + 1 }, (_, n) => `(${n})`).join(', ')})`

export const schema = `
CREATE TABLE record(row INTEGER PRIMARY KEY, ${columns});
CREATE UNIQUE INDEX record_id ON record(id);
CREATE INDEX record_object ON record(${bucketExpression}, obj, kind, space, rev) WHERE obj IS NOT NULL;
CREATE VIRTUAL TABLE words USING fts5(text, tags, content='', columnsize=0, tokenize='unicode61 remove_diacritics 0');
CREATE TABLE text(id INTEGER PRIMARY KEY, text TEXT NOT NULL, sum INTEGER NOT NULL);
CREATE INDEX text_text ON text(text, sum);
CREATE TABLE object(id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, resource TEXT NOT NULL, grp TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, uid TEXT NOT NULL, sum INTEGER NOT NULL);
CREATE INDEX object_key ON object(cluster, resource, grp, namespace, name, kind, uid, sum);
CREATE INDEX object_name ON object(name);
CREATE INDEX object_uid ON object(uid);
CREATE TABLE owner(uid TEXT NOT NULL, obj INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(uid, obj)) WITHOUT ROWID;
CREATE TABLE chunk(id INTEGER PRIMARY KEY, base INTEGER, ends BLOB NOT NULL, data BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE keyframe(row INTEGER PRIMARY KEY, cluster TEXT NOT NULL, key TEXT NOT NULL, ${columns}, UNIQUE(cluster, key));
CREATE TABLE span(cluster TEXT NOT NULL, kind INTEGER NOT NULL, space TEXT NOT NULL, records INTEGER NOT NULL, id_min BLOB NOT NULL, id_max BLOB NOT NULL, at_min INTEGER NOT NULL, at_max INTEGER NOT NULL,
	rev_min TEXT NOT NULL, rev_max TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(cluster, kind, space)) WITHOUT ROWID;
CREATE TABLE minute(minute INTEGER NOT NULL, cluster TEXT NOT NULL, namespace TEXT NOT NULL, kind INTEGER NOT NULL, severity INTEGER NOT NULL, noise INTEGER NOT NULL, records INTEGER NOT NULL, sum INTEGER NOT NULL,
	PRIMARY KEY(minute, cluster, namespace, kind, severity, noise)) WITHOUT ROWID;
CREATE TABLE put(seq INTEGER PRIMARY KEY, rows BLOB NOT NULL, sum INTEGER NOT NULL);
INSERT INTO words(words, rank) VALUES('automerge', 8);
PRAGMA user_version = ${schemaVersion};
`

/** The columns of a row, as they are bound; `rev` beyond 2^53 is a bigint when it is written, and text when it is read. */
export interface StoredRow {
	readonly kind: number
	readonly id: Uint8Array
	readonly obj: number | null
	readonly own: number | null
	readonly space: number | null
	readonly rev: number | bigint | string | null
	readonly op: number | null
	readonly flags: number
	readonly traits: number | null
	readonly paths: number | null
	readonly summary: string
	readonly rest: string | null
	readonly observed: number
	readonly bound: number
	readonly source: number
	readonly body: number | null
	readonly at: number | null
}

/** In the order of `rowColumns`, without the sum. */
export function bindings(row: StoredRow): readonly (number | bigint | string | Uint8Array | null)[] {
	const { kind, id, obj, own, space, rev, op, flags, traits, paths, summary, rest, observed, bound, source, body, at } = row
	return [kind, id, obj, own, space, rev, op, flags, traits, paths, summary, rest, observed, bound, source, body, at]
}

/** One row as read. */
export interface Row extends StoredRow {
	readonly row: number
	readonly rev: string | null
	readonly sum: number
}

export const readColumns = rowColumns.replace(' rev,', ' CAST(rev AS TEXT) AS rev,')

/** What a row points to, by the day's own numbers. */
export interface StoredObject {
	readonly id: number
	readonly cluster: string
	readonly resource: string
	readonly group: string
	readonly namespace: string
	readonly name: string
	readonly kind: string
	readonly uid: string
}
