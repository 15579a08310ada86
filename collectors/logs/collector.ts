// The logs of a node: of its containers, and of the components that write files.
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { openLocalState } from '#collectors/local-state.ts'
import type { LogsConfig } from './config.ts'
import { Engine } from './engine.ts'
import { checkTimeForms } from './time-form.ts'

/** Throws CONFIG_INVALID for a form of time that is none. What cannot be read is waited for. */
export function createLogsCollector(config: LogsConfig, context: CollectorContext): Collector {
	checkTimeForms(config)
	return {
		name: 'logs',
		async run(emit, signal) {
			using state = openLocalState(context.stateDir)
			using engine = new Engine(config, context, state, emit)
			await engine.run(signal)
		},
	}
}
