// Which sources wait for the record log: each by itself, for it may have room for one and none for another. The role's state is that of all of them.
import type { RoleContext } from './context.ts'

export interface Pause {
	/** Told when appending pauses (a reason) and when it goes on (null). */
	readonly onPause: (reason: string | null) => void
	readonly isPaused: () => boolean
}

export function createPauses(context: Pick<RoleContext, 'metrics' | 'report'>): { one(): Pause } {
	const reasons = new Map<symbol, string>()
	const paused = context.metrics.gauge('kubetape_collect_paused', '1 while the record log cannot take records')
	paused.set(0)
	return {
		one() {
			const source = Symbol('source')
			return {
				onPause(reason) {
					if (reason === null) reasons.delete(source)
					else reasons.set(source, reason)
					const [first] = reasons.values()
					paused.set(first === undefined ? 0 : 1)
					context.report(first === undefined, first === undefined ? 'recording' : `paused: ${first}`)
				},
				isPaused: () => reasons.has(source),
			}
		},
	}
}
