// Liveness and readiness as data: each part reports, one place answers.

export interface HealthReport {
	readonly ok: boolean
	/** One line per part: `collect: ready`, `process: paused: the disk is full`. */
	readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly message: string }>>
}

export interface Health {
	set(part: string, ok: boolean, message: string): void
	report(): HealthReport
}

export function createHealth(): Health {
	const parts = new Map<string, { ok: boolean; message: string }>()
	return {
		set: (part, ok, message) => parts.set(part, { ok, message }),
		report: () => ({ ok: [...parts.values()].every((part) => part.ok), parts: Object.fromEntries(parts) }),
	}
}
