// Runs an etcd collector in a test: what it emitted, and waiting for it.
import { pino } from 'pino'
import { createEtcdCollector } from '#collectors/etcd/collector.ts'
import type { EtcdConfig } from '#collectors/etcd/config.ts'
import type { Coverage, Gap, KubetapeRecord, Reject, VersionRecord } from '#records/record.ts'
import { systemClock } from '#runtime/clock.ts'
import { createMetrics } from '#runtime/metrics.ts'

export const testConfig: EtcdConfig = {
	endpoints: [],
	prefix: '',
	registry: '/registry/',
	snapshotPageKeys: 7,
	progressMs: 100,
	retryMaxMs: 50,
}

const waitMsMax = 20_000

/** What the collector logged, as far as tests look at it. */
export interface Warning {
	readonly code?: string
	readonly error?: string
	readonly msg: string
}

export class Running implements AsyncDisposable {
	readonly records: KubetapeRecord[] = []
	readonly warnings: Warning[] = []
	readonly #stop = new AbortController()
	readonly #done: Promise<void>
	#wake: (() => void) | undefined
	#error: unknown

	constructor(options: {
		readonly stateDir: string
		readonly config: Partial<EtcdConfig>
		readonly cluster?: string
		readonly onEmit?: (records: readonly KubetapeRecord[]) => Promise<void>
	}) {
		const context = {
			cluster: options.cluster ?? 'test',
			clock: systemClock,
			log: pino({ level: 'warn' }, { write: (line) => this.#warn(JSON.parse(line) as Warning) }),
			metrics: createMetrics(),
			stateDir: options.stateDir,
		}
		const collector = createEtcdCollector({ ...testConfig, ...options.config }, context)
		const emit = async (records: readonly KubetapeRecord[]): Promise<void> => {
			await options.onEmit?.(records)
			this.records.push(...records)
			this.#wake?.()
		}
		this.#done = collector.run(emit, this.#stop.signal).catch((error: unknown) => {
			this.#error = error
			this.#wake?.()
		})
	}

	#warn(warning: Warning): void {
		this.warnings.push(warning)
		this.#wake?.()
	}

	get versions(): readonly VersionRecord[] {
		return this.records.filter((record) => record.kind === 'change' || record.kind === 'event')
	}

	get gaps(): readonly Gap[] {
		return this.records.filter((record) => record.kind === 'gap')
	}

	get rejects(): readonly Reject[] {
		return this.records.filter((record) => record.kind === 'reject')
	}

	get coverage(): readonly Coverage[] {
		return this.records.filter((record) => record.kind === 'coverage')
	}

	/** Until the condition holds; throws what the collector failed with, or after a while what was not reached. */
	async until(what: string, condition: () => boolean): Promise<void> {
		const deadline = setTimeout(() => {
			this.#error ??= new Error(`not reached: ${what}; there are ${this.records.length} records`)
			this.#wake?.()
		}, waitMsMax)
		try {
			while (!condition()) {
				if (this.#error) throw this.#error
				await new Promise<void>((resolve) => (this.#wake = resolve))
			}
		} finally {
			clearTimeout(deadline)
		}
	}

	/** Until the version of this revision is emitted. */
	async seen(revision: bigint): Promise<void> {
		await this.until(`revision ${revision}`, () => this.versions.some((version) => version.revision === revision))
	}

	async failure(): Promise<unknown> {
		await this.#done
		return this.#error
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort()
		await this.#done
	}
}
