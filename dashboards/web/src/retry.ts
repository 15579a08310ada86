// Asking again: for what failed, and for what may have changed, neither too often.
import { useEffect, useRef, useState } from 'preact/hooks'

const retryMs = 3000

/** Counts up a while after each failure: among the dependencies of an effect it asks again. `failures` in a row; 0: it did not fail. */
export function useRetry(failures: number): number {
	const [tries, setTries] = useState(0)
	useEffect(() => {
		if (failures === 0) return undefined
		const timer = setTimeout(() => setTries((before) => before + 1), retryMs)
		return () => clearTimeout(timer)
	}, [failures])
	return tries
}

/** The value, but not another one more often than that. */
export function useSlowly(value: string, ms: number): string {
	const [taken, setTaken] = useState(value)
	const takenAt = useRef(0)
	useEffect(() => {
		if (value === taken) return undefined
		const take = (): void => {
			takenAt.current = performance.now()
			setTaken(value)
		}
		const timer = setTimeout(take, Math.max(0, takenAt.current + ms - performance.now()))
		return () => clearTimeout(timer)
	}, [value, taken, ms])
	return taken
}
