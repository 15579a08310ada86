// kafkajs looks at each connection's queue of requests every millisecond, for ever: it waits until the end of a throttle, which is long past where a broker does not throttle. Here it looks only where something waits.
import { createRequire } from 'node:module'

/** Of kafkajs 2.2.4 (src/network/requestQueue/index.js); it is not in its types. */
interface RequestQueue {
	readonly pending: readonly unknown[]
	scheduleCheckPendingRequests(): void
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue }
// oxlint-disable-next-line typescript/unbound-method -- called with the queue, below
const { scheduleCheckPendingRequests } = prototype

/** Whoever adds a request that cannot be sent at once calls it, and so does every look that leaves one. */
prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue): void {
	if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
}
