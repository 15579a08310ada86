// Start in order, stop in reverse, bounded in time; signals become an AbortSignal.
import { KubetapeError } from './errors.ts'

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

/** Aborts so long after the signal, and keeps no process alive until then. Its reason is for who still waits. */
export function after(signal: AbortSignal, ms: number): AbortSignal {
	const late = new AbortController()
	const reason = new KubetapeError('STORAGE_UNAVAILABLE', `no answer within ${ms / 1000} s of being told to end`)
	const wait = (): void => void setTimeout(() => late.abort(reason), ms).unref()
	if (signal.aborted) wait()
	else signal.addEventListener('abort', wait, { once: true })
	return late.signal
}

/** The promise, or the reason of the abort where that comes first: for what takes no signal itself. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (!signal) return promise
	const late = Promise.withResolvers<never>()
	const give = (): void => late.reject(signal.reason)
	if (signal.aborted) give()
	signal.addEventListener('abort', give, { once: true })
	try {
		return await Promise.race([promise, late.promise])
	} finally {
		signal.removeEventListener('abort', give)
	}
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
