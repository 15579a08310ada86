// Start in order, stop in reverse, bounded in time; signals become an AbortSignal.

/** A signal reaches a program more than once where a terminal and the programs around it (npm, tools/run.mjs) all pass it on: what comes within so long is the same one. */
const sameSignalMs = 1000
/** Longest that a timer of Node can be. */
const foreverMs = 2 ** 31 - 1

/** Aborts on SIGINT, SIGTERM and SIGHUP, and when the program that started this one with a channel is gone; a second signal later on ends the process at once with 130. */
export function abortOnSignals(): AbortController {
	const controller = new AbortController()
	let first = 0
	const stop = (): void => {
		if (!controller.signal.aborted) {
			first = performance.now()
			controller.abort()
		} else if (performance.now() - first > sameSignalMs) process.exit(130)
	}
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
	process.once('disconnect', () => controller.abort())
	// The channel tells when its other end is gone; it is no reason to go on.
	process.channel?.unref()
	return controller
}

/** Resolves when the signal aborts. Until then it keeps the process alive, also where nothing else does. */
export function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) return resolve()
		const alive = setInterval(() => undefined, foreverMs)
		const end = (): void => {
			clearInterval(alive)
			resolve()
		}
		signal.addEventListener('abort', end, { once: true })
	})
}

/** Resolves with the promise, or with `undefined` after `ms`: for clean-ups that must not hang. */
export async function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
	let timer: NodeJS.Timeout | undefined
	const late = new Promise<undefined>((resolve) => {
		timer = setTimeout(() => resolve(undefined), ms)
	})
	try {
		return await Promise.race([promise, late])
	} finally {
		clearTimeout(timer)
	}
}
