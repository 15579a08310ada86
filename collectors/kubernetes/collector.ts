// The Kubernetes collector: every object that the API server shows, at every version; what could not be seen becomes a gap.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openLocalState, type LocalState } from '#collectors/local-state.ts'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import type { KubernetesConfig } from './config.ts'
import { Session } from './session.ts'

const retryFirstMs = 200

/** Cursors and last known objects are in `context.stateDir`. Without them it begins with a list of everything. */
export function createKubernetesCollector(config: KubernetesConfig, context: CollectorContext): Collector {
	return {
		name: 'kubernetes',
		async run(emit, signal) {
			using state = openState(context)
			const backoff = createBackoff({ clock: context.clock, firstMs: retryFirstMs, maxMs: config.retryMaxMs })
			while (!signal.aborted) {
				try {
					await new Session(config, context, { emit, state, signal }).run(() => backoff.reset())
				} catch (error) {
					if (!(error instanceof KubetapeError) || !error.retryable) throw error
					context.log.warn({ code: error.code, error: error.message }, 'the session with the API server ended: it is tried again')
					await backoff.wait(signal)
				}
			}
		},
	}
}

/** A damaged state is thrown away: everything is listed anew. */
function openState(context: CollectorContext): LocalState {
	try {
		const state = openLocalState(context.stateDir)
		// Reads the first page, so that a damaged file shows here.
		for (const _ of state.list('')) break
		return state
	} catch (error) {
		if (!/malformed|not a database|corrupt/i.test(messageOf(error))) throw error
		context.log.error({ error: messageOf(error) }, 'the last known state is damaged: it is made anew from lists')
		for (const suffix of ['', '-wal', '-shm']) rmSync(join(context.stateDir, `state.db${suffix}`), { force: true })
		return openLocalState(context.stateDir)
	}
}
