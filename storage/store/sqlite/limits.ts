// Limits of the SQLite store.

export const storeLimits = {
	/** Bodies compressed together, and their size before compression. */
	chunkBodies: 64,
	chunkBytesMax: 256 * 1024,
	/** Puts with fewer bodies are compressed one by one, against a body of the same object. */
	smallPutBodies: 8,
	/** Bodies kept in memory as dictionaries of small puts. */
	basesMax: 4096,
	baseBytesMax: 16 * 1024,
	/** Decompressed chunks kept in memory while reading. */
	chunksCachedMax: 64,
	/** Interned texts kept in memory per day. */
	wordsCachedMax: 50_000,
	/** Records of an object filter that are collected from the object index; above, the words index leads. */
	gatherRecordsMax: 20_000,
	/** Rows fetched in one step while looking for matches. */
	scanRows: 512,
	/** A record that claims to be later than this after the clock goes to the day it was observed on. */
	futureMaxMs: 86_400_000,
	/** Puts that a tail may lag behind, per day. */
	tailPutsMax: 10_000,
	busyTimeoutMs: 10_000,
} as const
