// Start in order, stop in reverse, bounded in time; signals become an AbortSignal.

/** Aborts on SIGINT and SIGTERM; a second signal ends the process at once with 130. */
export function abortOnSignals(): AbortController {
	const controller = new AbortController()
	const stop = (): void => {
		if (controller.signal.aborted) process.exit(130)
		controller.abort()
	}
	process.on('SIGINT', stop)
	process.on('SIGTERM', stop)
	return controller
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) resolve()
		else signal.addEventListener('abort', () => resolve(), { once: true })
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
