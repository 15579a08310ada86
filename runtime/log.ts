// The program's own log: pino, JSON lines on standard error.
import { pino, type Logger } from 'pino'

export type { Logger }

/** `level` as pino's. Fields `role` and `component` tell the parts apart. */
export function createLogger(options: { readonly level: string; readonly role: string }): Logger {
	return pino(
		{ level: options.level, base: { role: options.role }, timestamp: pino.stdTimeFunctions.isoTime },
		pino.destination({ fd: 2, sync: true }),
	)
}

export const silentLogger: Logger = pino({ level: 'silent' })
