// Limits that more than one folder shares. Each has a unit in its name; folders keep their own beside the code they bound.

export const limits = {
	/** One record, encoded. etcd itself refuses above 1.5 MiB; audit entries carry two bodies. */
	recordBytesMax: 32 * 1024 * 1024,
	/** Records and bytes that a collector hands over in one batch. */
	batchRecordsMax: 500,
	batchBytesMax: 2 * 1024 * 1024,
	/** Batches a collector may have handed over and not yet seen durable. */
	batchesInFlightMax: 4,
	/** JSON nesting accepted from any source. */
	jsonDepthMax: 200,
	/** Items of one API page. */
	pageItemsMax: 1000,
	pageItemsDefault: 100,
} as const
