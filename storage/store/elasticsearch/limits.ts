// Limits of the store on Elasticsearch.

export const elasticLimits = {
	/** A record that claims to be later than this after it was observed goes to the day it was observed on. */
	futureMaxMs: 86_400_000,
	/** Versions that are found longer after they were written go to the day they were found on. */
	snapshotReachMs: 7 * 86_400_000,
	/** Documents of one page of a search; the server's own limit is 10,000. */
	pageDocuments: 5000,
	/** Buckets of one page of an aggregation. */
	pageBuckets: 2000,
	/** Objects whose versions are fetched together for a past state: bodies come along. */
	stateObjects: 500,
	/** A point in time is kept between two pages for so long. */
	pitKeepAlive: '1m',
	/** A keyframe whose making was begun so long ago is begun again. */
	keyframeMsMax: 30 * 60_000,
	/** Clocks of those who write differ by less. */
	clockSkewMs: 10 * 60_000,
	/** Ids looked up, and lines amended, in one request. */
	idsAtOnce: 1000,
	/** Records written as lines without a pause. */
	linesAtOnce: 200,
	/** Bytes of one bulk request at first, and within what they move. A request below 1 MiB is never taken in parts by the server. */
	bulkBytesFirst: 1024 * 1024,
	bulkBytesMin: 64 * 1024,
	bulkBytesMax: 8 * 1024 * 1024,
	bulkBytesStep: 256 * 1024,
	/** Requests of one size are a little larger than their share, so that no row is left over. */
	bulkShareSlack: 1.05,
	/** Requests under way together at first and at most. */
	bulksFirst: 2,
	bulksMax: 4,
	/** A row of a bulk request that is refused for now is tried so often, and a whole request; then the put fails and is tried again as a whole. */
	triesMax: 8,
	retryFirstMs: 50,
	retryMaxMs: 2000,
	/** Fragments of documents that are kept for the next record of the same object, and the longest text whose words are. */
	keptFragments: 8192,
	keptCharacters: 300,
	/** Ids of Elasticsearch are limited to this. */
	idBytesMax: 512,
	/** Characters of a keyword beyond which it is not searched: Lucene takes 32,766 bytes. */
	keywordCharacters: 8191,
	/** Of the reason of a refusal: it repeats values. */
	reasonCharacters: 500,
	/** Terms of one query. */
	termsMax: 60_000,
	/** Index that the server refreshes by itself, should the one that writes it be gone. */
	fallbackRefresh: '30s',
} as const
