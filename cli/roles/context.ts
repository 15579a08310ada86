// What every role is given: the resolved configuration, the clock, a logger, metrics, and where to report its state.
import { join } from 'node:path'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { createLogger, type Logger } from '#runtime/log.ts'
import { createMetrics, type Metrics } from '#runtime/metrics.ts'
import type { Config } from '#cli/config.ts'
import { version } from '#cli/version.ts'

export const roleNames = ['collect', 'process', 'serve'] as const
export type RoleName = (typeof roleNames)[number]

export interface RoleContext {
	readonly role: RoleName
	readonly config: Config
	readonly clock: Clock
	readonly logger: Logger
	readonly metrics: Metrics
	/** `ok` says whether the role does its work; the message says what it does, or why not. `part`: of what it depends on. */
	readonly report: (ok: boolean, message: string, part?: string) => void
	/** Says again what the role said last of itself: it is still there. */
	readonly repeat: () => void
}

/** `name` is the role's, or the role's and its part's. */
export type Report = (name: string, ok: boolean, message: string) => void

/** A role runs until the signal aborts; it throws where it cannot go on. */
export type Role = (context: RoleContext, signal: AbortSignal) => Promise<void>

export function createRoleContext(role: RoleName, config: Config, say: Report): RoleContext {
	let last: readonly [ok: boolean, message: string] = [false, 'starting']
	const report: RoleContext['report'] = (ok, message, part) => {
		if (part === undefined) last = [ok, message]
		say(part === undefined ? role : `${role}: ${part}`, ok, message)
	}
	const metrics = createMetrics()
	metrics.gauge('kubetape_build_info', '1, with the version that runs', ['version'], 'first').set({ version }, 1)
	const logger = createLogger({ level: config.logLevel, role })
	return { role, config, clock: systemClock, logger, metrics, report, repeat: () => say(role, ...last) }
}

/** The consumer group of the store. */
export const storeGroup = 'store'

export const paths = {
	log: (config: Config): string => join(config.dataDir, 'log'),
	store: (config: Config): string => join(config.dataDir, 'store'),
	collectorState: (config: Config, cluster: string, collector: string): string => join(config.dataDir, 'collectors', cluster, collector),
}
