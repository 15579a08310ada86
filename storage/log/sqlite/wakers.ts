// Who waits for the next append to a log file: readers of every thread of this process. Those of other processes look by themselves.
import { realpathSync } from 'node:fs'
import { BroadcastChannel } from 'node:worker_threads'

export class Wakers {
	readonly #waiting = new Set<() => void>()
	/** The roles of one process are threads, each with its own handle. */
	readonly #threads: BroadcastChannel

	/** `path` of the log file, which exists. */
	constructor(path: string) {
		this.#threads = new BroadcastChannel(`kubetape record log ${realpathSync(path)}`)
		// oxlint-disable-next-line unicorn/prefer-add-event-listener -- a listener alone does not begin to receive
		this.#threads.onmessage = () => this.wakeOwn()
		this.#threads.unref()
	}

	/** Something was appended. */
	wake(): void {
		this.wakeOwn()
		// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel of threads has no origin
		this.#threads.postMessage(null)
	}

	/** Those of this handle only. */
	wakeOwn(): void {
		for (const wake of this.#waiting) wake()
	}

	/** Resolves when a thread of this process appended something, when `ms` passed, or when the signal aborts. */
	wait(ms: number, signal: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const done = (): void => {
				clearTimeout(timer)
				this.#waiting.delete(done)
				signal.removeEventListener('abort', done)
				resolve()
			}
			const timer = setTimeout(done, ms)
			this.#waiting.add(done)
			signal.addEventListener('abort', done, { once: true })
		})
	}

	close(): void {
		this.#threads.close()
		this.wakeOwn()
	}
}
