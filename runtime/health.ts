// Liveness and readiness as data: each part reports, one place answers.
import { systemClock, type Clock } from './clock.ts'

export interface HealthReport {
	readonly ok: boolean
	/** One line per part: `collect: ready`, `process: paused: the disk is full`. */
	readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly message: string }>>
}

export interface Health {
	set(part: string, ok: boolean, message: string): void
	report(): HealthReport
}

/** A part that has said nothing for so long hangs, whatever it said last. Parts look at themselves every few seconds (cli/roles/checks.ts). */
export const silentMsMax = 30_000

export function createHealth(clock: Clock = systemClock): Health {
	const parts = new Map<string, { readonly ok: boolean; readonly message: string; readonly at: number }>()
	const told = ({ ok, message, at }: { readonly ok: boolean; readonly message: string; readonly at: number }) => {
		const silentMs = (clock.nowMicros() - at) / 1000
		return silentMs > silentMsMax
			? { ok: false, message: `has said nothing for ${Math.floor(silentMs / 1000)} s; before: ${message}` }
			: { ok, message }
	}
	return {
		set: (part, ok, message) => parts.set(part, { ok, message, at: clock.nowMicros() }),
		report: () => {
			const now = Object.fromEntries([...parts].map(([name, part]) => [name, told(part)]))
			return { ok: parts.size > 0 && Object.values(now).every((part) => part.ok), parts: now }
		},
	}
}
