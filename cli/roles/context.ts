// What every role is given: the resolved configuration, the clock, a logger, metrics, and where to report its state.
import { join } from 'node:path'
import { systemClock, type Clock } from '#runtime/clock.ts'
import { createLogger, type Logger } from '#runtime/log.ts'
import { createMetrics, type Metrics } from '#runtime/metrics.ts'
import type { Config } from '#cli/config.ts'

export const roleNames = ['collect', 'process', 'serve'] as const
export type RoleName = (typeof roleNames)[number]

export interface RoleContext {
	readonly role: RoleName
	readonly config: Config
	readonly clock: Clock
	readonly logger: Logger
	readonly metrics: Metrics
	/** `ok` says whether the role does its work; the message says what it does, or why not. */
	readonly report: (ok: boolean, message: string) => void
}

/** A role runs until the signal aborts; it throws where it cannot go on. */
export type Role = (context: RoleContext, signal: AbortSignal) => Promise<void>

export function createRoleContext(role: RoleName, config: Config, report: RoleContext['report']): RoleContext {
	return { role, config, clock: systemClock, logger: createLogger({ level: config.logLevel, role }), metrics: createMetrics(), report }
}

/** The consumer group of the store. */
export const storeGroup = 'store'

export const paths = {
	log: (config: Config): string => join(config.dataDir, 'log'),
	store: (config: Config): string => join(config.dataDir, 'store'),
	redactionKey: (config: Config): string => join(config.dataDir, 'redaction.key'),
	collectorState: (config: Config, cluster: string, collector: string): string => join(config.dataDir, 'collectors', cluster, collector),
}
