// A Kubernetes collector that runs in a test: its records, and ways to wait for them and to stop it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Value } from 'typebox/value'
import { kubernetesConfig, type KubernetesConfig } from '#collectors/kubernetes/config.ts'
import { createKubernetesCollector } from '#collectors/kubernetes/collector.ts'
import type { Emit } from '#collectors/port.ts'
import type { Gap, KubetapeRecord, VersionRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { createMetrics } from '#runtime/metrics.ts'

const pollMs = 20
const waitMaxMs = 60_000

export interface Running {
	readonly records: KubetapeRecord[]
	readonly versions: () => readonly VersionRecord[]
	readonly gaps: () => readonly Gap[]
	/** Resolves with what the function finds; fails after a minute, or when the collector fails. */
	until<T>(what: string, find: () => T | undefined | false): Promise<T>
	/** Stops it, with everything settled. */
	stop(): Promise<void>
	readonly ended: Promise<void>
}

export const isVersion = (record: KubetapeRecord): record is VersionRecord => record.kind === 'change' || record.kind === 'event'

export function makeStateDir(): { readonly dir: string; remove(): void } {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-kubernetes-'))
	return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** `emit` may be given to hold records back or to fail; it is called before they are kept. */
export function runCollector(stateDir: string, config: Partial<KubernetesConfig>, emit: Emit = async () => {}): Running {
	const records: KubetapeRecord[] = []
	const stop = new AbortController()
	const full = Value.Default(kubernetesConfig, { retryMaxMs: 500, ...config }) as KubernetesConfig
	const context = { cluster: 'test', clock: systemClock, log: silentLogger, metrics: createMetrics(), stateDir }
	let failure: { readonly error: unknown } | undefined
	const ended = createKubernetesCollector(full, context).run(async (batch) => {
		await emit(batch)
		records.push(...batch)
	}, stop.signal)
	ended.catch((error: unknown) => (failure = { error }))
	return {
		records,
		versions: () => records.filter(isVersion),
		gaps: () => records.filter((record): record is Gap => record.kind === 'gap'),
		async until(what, find) {
			const end = performance.now() + waitMaxMs
			for (;;) {
				const found = find()
				if (found !== undefined && found !== false) return found
				if (failure) throw failure.error
				if (performance.now() > end) throw new Error(`not seen in time: ${what}`)
				await wait(pollMs)
			}
		},
		async stop() {
			stop.abort()
			await ended
		},
		ended,
	}
}
