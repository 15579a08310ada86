// Limits of the API, each with its unit.

export const apiLimits = {
	requestMs: 30_000,
	headersMs: 10_000,
	bodyBytesMax: 1024,
	/** Percent-decoded; raw etcd keys make long names. */
	paramCharsMax: 2048,
	textCharsMax: 1024,
	cursorCharsMax: 4096,
	bucketsMax: 1000,
	bucketsDefault: 120,
	contextLinesMax: 1000,
	contextLinesDefault: 10,
	topMax: 1000,
	topDefault: 20,
	selectorTermsMax: 50,
	streamsMax: 64,
	streamBatchItemsMax: 500,
	/** Between two looks for new records. */
	streamPollMs: 100,
	streamHeartbeatMs: 15_000,
	/** A reader that takes nothing for so long is cut off. */
	streamStallMs: 30_000,
	/** Audit entries read to find the actors of one page of versions. */
	attributionEntriesMax: 10_000,
	/** How far from a write its audit entry may lie. */
	attributionWindowMs: 120_000,
} as const
