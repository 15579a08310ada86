// Asking again for what failed.
import { useEffect, useState } from 'preact/hooks'

const retryMs = 3000

/** Counts up, for as long as something has failed: among the dependencies of an effect it asks again. */
export function useRetry(failed: boolean): number {
	const [tries, setTries] = useState(0)
	useEffect(() => {
		if (!failed) return undefined
		const timer = setTimeout(() => setTries((before) => before + 1), retryMs)
		return () => clearTimeout(timer)
	}, [failed, tries])
	return tries
}
