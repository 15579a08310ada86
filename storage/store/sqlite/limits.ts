// Limits of the SQLite store.

export const storeLimits = {
	/** Bodies compressed together, and their size before compression. */
	chunkBodies: 96,
	chunkBytesMax: 128 * 1024,
	/** Puts with fewer bodies are compressed one by one, against a body of the same object. */
	smallPutBodies: 8,
	/** Bodies kept in memory as dictionaries of small puts, and the largest of them. */
	basesBytesMax: 4 * 1024 * 1024,
	baseBytesMax: 16 * 1024,
	/** Decompressed chunks kept in memory while reading, of each open day. */
	chunksBytesMax: 2 * 1024 * 1024,
	/** Interned texts kept in memory, by text, by number and parsed, of each open day. */
	textsBytesMax: 2 * 1024 * 1024,
	parsedBytesMax: 2 * 1024 * 1024,
	/** Objects kept in memory, of each open day; the writer also keeps what it knows of each. */
	objectsBytesMax: 8 * 1024 * 1024,
	/** Days that stay open behind an answer or a put, each with its caches. */
	openDaysMax: 3,
	/** Records of an object filter that are collected from the object index; above, the words index leads. */
	gatherRecordsMax: 20_000,
	/** Lines around one are looked for so far in its file before all of it is read, and its end is known by so many lines. */
	fileReachBytes: 8 * 1024 * 1024,
	fileEndLines: 32,
	/** Entries of one request that are read; there are four stages. */
	stagesOfRequest: 16,
	/** Rows fetched in one step while looking for matches. */
	scanRows: 512,
	/** A record that claims to be later than this after the clock goes to the day it was observed on. */
	futureMaxMs: 86_400_000,
	/** Puts that a tail may lag behind, per day. */
	tailPutsMax: 10_000,
	busyTimeoutMs: 10_000,
	/** The write-ahead log is checkpointed beyond this, and emptied when nothing was put for a while. */
	walBytesMax: 16 * 1024 * 1024,
	idleMs: 1000,
	/** A check of the days reads so much at a time, and then rests. */
	checkSliceBytes: 1024 * 1024,
	checkRestMs: 10,
} as const
