// The etcd collector: a snapshot at the start, then every write as it happens; what could not be seen becomes a gap.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Collector, CollectorContext, Emit } from '#collectors/port.ts'
import { openLocalState, type LocalState } from '#collectors/local-state.ts'
import { KubetapeError, messageOf, type ErrorCode } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import { connect } from './client.ts'
import type { EtcdConfig } from './config.ts'
import { EtcdSession } from './session.ts'

const retryFirstMs = 100

/** Cursor and last known values are in `context.stateDir`. Without them it begins with a snapshot. */
export function createEtcdCollector(config: EtcdConfig, context: CollectorContext): Collector {
	return {
		name: 'etcd',
		async run(emit, signal) {
			const { state, damaged } = openState(context)
			using _ = state
			await runSessions(config, context, { emit, state, damaged, signal })
		},
	}
}

/** A damaged state is thrown away: the snapshot that follows is stated as a gap. */
function openState(context: CollectorContext): { readonly state: LocalState; readonly damaged: boolean } {
	try {
		const state = openLocalState(context.stateDir)
		// Reads the first page, so that a damaged file shows here.
		state.cursor('')
		for (const _ of state.list('')) break
		return { state, damaged: false }
	} catch (error) {
		if (!/malformed|not a database|corrupt/i.test(messageOf(error))) throw error
		context.log.error({ error: messageOf(error) }, 'the last known state is damaged: it is made anew from a snapshot')
		for (const suffix of ['', '-wal', '-shm']) rmSync(join(context.stateDir, `state.db${suffix}`), { force: true })
		return { state: openLocalState(context.stateDir), damaged: true }
	}
}

interface Run {
	readonly emit: Emit
	readonly state: LocalState
	readonly damaged: boolean
	readonly signal: AbortSignal
}

/** What the credentials are about: their files are read anew at each try. */
const access = new Set<ErrorCode>(['ETCD_AUTH', 'ETCD_TLS'])

/**
 * Endpoint after endpoint, without end. Every session goes on from what the state says is durable. Refused credentials end it once every endpoint has
 * refused them; not where they have worked before, as they may be in exchange.
 */
async function runSessions(config: EtcdConfig, context: CollectorContext, run: Run): Promise<void> {
	const backoff = createBackoff({ clock: context.clock, firstMs: retryFirstMs, maxMs: config.retryMaxMs })
	const reconnects = context.metrics.counter('kubetape_etcd_sessions_total', 'Sessions begun with an etcd endpoint', ['cluster'])
	const session = new EtcdSession(config, context, run)
	let hasWorked = false
	let refusals = 0
	for (let turn = 0; !run.signal.aborted; turn += 1) {
		const endpoint = config.endpoints[turn % config.endpoints.length] ?? ''
		try {
			using client = connect(config, endpoint)
			reconnects.inc({ cluster: context.cluster })
			const head = await client.head(config.prefix)
			hasWorked = true
			await session.run(client, head, () => backoff.reset())
		} catch (error) {
			if (run.signal.aborted) return
			if (!(error instanceof KubetapeError)) throw error
			const isRefused = access.has(error.code)
			if (isRefused) refusals += 1
			if (!error.retryable && !(isRefused && (hasWorked || refusals < config.endpoints.length))) throw error
			context.log.warn({ endpoint, code: error.code, error: error.message }, 'the session with etcd ended; it is tried again')
			await backoff.wait(run.signal)
		}
	}
}
