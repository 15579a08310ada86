// Work that goes on together: while one batch is being stored the next one is made ready and sent behind it. They are done in the order in which they were begun, so that positions are committed in order.

export interface Pipe {
	/**
	 * Resolves when the work has begun, which is as soon as there is room. `before` resolves when everything that was begun before is done, and rejects where that failed. Rejects, without beginning,
	 * with what failed.
	 */
	begin(work: (before: Promise<void>) => Promise<void>): Promise<void>
	/** Resolves when everything that was begun is done; rejects, when all has ended, with what failed first. */
	done(): Promise<void>
}

/** `onFailure`: nothing more will begin. */
export function createPipe(worksMax: number, onFailure: () => void): Pipe {
	const underWay: Promise<void>[] = []
	let failure: { readonly reason: unknown } | undefined
	const fail = (reason: unknown): void => {
		failure ??= { reason }
		onFailure()
	}
	const check = (): void => {
		if (failure) throw failure.reason
	}
	return {
		async begin(work) {
			while (underWay.length >= worksMax) await Promise.allSettled([underWay[0]])
			check()
			const before = underWay.at(-1) ?? Promise.resolve()
			const done = Promise.all([work(before), before]).then(() => undefined)
			underWay.push(done)
			done.catch(fail).finally(() => underWay.splice(underWay.indexOf(done), 1))
		},
		async done() {
			while (underWay.length > 0) await Promise.allSettled(underWay)
			check()
		},
	}
}
