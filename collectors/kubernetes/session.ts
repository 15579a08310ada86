// One session with an API server: discovery, and a list and watch for each resource that comes and goes.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { CollectorContext, Emit } from '#collectors/port.ts'
import type { LocalState } from '#collectors/local-state.ts'
import { createOwners, type Owners } from '#collectors/owners.ts'
import { Body } from '#records/body.ts'
import { createCatalog, type Catalog } from '#records/catalog.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { createBackoff } from '#runtime/retry.ts'
import { Bodies } from './bodies.ts'
import { CommonOutbox } from './common-outbox.ts'
import type { KubernetesConfig } from './config.ts'
import { connect, type Connection } from './connection.ts'
import { CustomResources } from './custom-resources.ts'
import { definitions, discover, type ServedResource } from './discovery.ts'
import { Ledger } from './ledger.ts'
import { QuietGaps } from './quiet-gaps.ts'
import { followResource, type ResourceParts } from './resource.ts'
import { Slots } from './slots.ts'
import { Spaces } from './spaces.ts'
import { Versions } from './versions.ts'

const changesDiscovery: ReadonlySet<string> = new Set([definitions, 'apiservices.apiregistration.k8s.io'])
/** Discovery follows a definition's change a little later. */
const settleMs = 500
/** So often after that for a resource whose definition has gone and that is served still; then as often as configured. */
const looksMax = 20
/** The last deletions of a resource that has gone still come by its watch. */
const lingerMs = 3000
const listsAtOnce = 6
const retryFirstMs = 200
/** At the start what the state knows teaches who owns what: not what owns nothing itself. */
const ownsNothing: ReadonlySet<string> = new Set(['events', 'leases.coordination.k8s.io', 'secrets', 'configmaps', 'pods'])

interface Followed {
	readonly served: ServedResource
	readonly stop: AbortController
	readonly ledger: Ledger
	/** Resolves when it is followed no more. */
	readonly running: Promise<void>
}

export class Session {
	readonly #config: KubernetesConfig
	readonly #context: CollectorContext
	readonly #state: LocalState
	readonly #outbox: CommonOutbox
	readonly #stop = new AbortController()
	readonly #signal: AbortSignal
	readonly #followed = new Map<string, Followed>()
	readonly #running = new Set<Promise<void>>()
	readonly #customResources: CustomResources
	/** Not served any more: the last that was written to them is still waited for. */
	readonly #ending = new Map<string, Followed>()
	#failure: { readonly error: unknown } | undefined
	#wakeDiscovery: (() => void) | undefined
	#isDiscoveryDue = false

	constructor(
		config: KubernetesConfig,
		context: CollectorContext,
		run: { readonly emit: Emit; readonly state: LocalState; readonly signal: AbortSignal },
	) {
		this.#config = config
		this.#context = context
		this.#state = run.state
		this.#signal = AbortSignal.any([run.signal, this.#stop.signal])
		this.#outbox = new CommonOutbox(run.emit, run.state, (error) => this.#fail(error))
		this.#customResources = new CustomResources(config, run.state, this.#outbox)
	}

	/** Ends when the signal aborts, with everything saved, or with what went wrong for all resources. `onAlive`: the API server has answered. */
	async run(onAlive: () => void): Promise<void> {
		const connection = connect(this.#config)
		const catalog = createCatalog()
		const owners = createOwners()
		await this.#learn(catalog, owners)
		const parts: Omit<ResourceParts, 'onChange'> = {
			config: this.#config,
			context: this.#context,
			connection,
			state: this.#state,
			outbox: this.#outbox,
			bodies: new Bodies(),
			versions: new Versions(this.#context.cluster, catalog, owners),
			spaces: new Spaces(this.#state, this.#outbox),
			quietGaps: new QuietGaps(this.#context, this.#outbox, this.#signal),
			customResources: this.#customResources,
			lists: new Slots(listsAtOnce),
			can: { streamLists: this.#config.streamLists },
		}
		try {
			await this.#discoverAll(connection, parts, onAlive)
		} finally {
			this.#stop.abort()
			await Promise.all(this.#running)
			if (!this.#failure) await this.#outbox.drain()
		}
		if (this.#failure) throw this.#failure.error
	}

	#fail(error: unknown): void {
		this.#failure ??= { error }
		this.#stop.abort()
	}

	/** Kinds and owners as they were known at the end of the last run. */
	async #learn(catalog: Catalog, owners: Owners): Promise<void> {
		let seen = 0
		for (const { key, value } of this.#state.list('')) {
			const resource = key.slice(0, key.indexOf('/'))
			if (++seen % 100 === 0) await turnOfTheLoop()
			if (ownsNothing.has(resource)) continue
			const object = Body.ofBytes(value).object
			if (resource === definitions) catalog.learn(object)
			const metadata = object['metadata'] as Readonly<Record<string, unknown>> | undefined
			if (typeof metadata?.['uid'] === 'string') owners.chain(metadata['uid'], metadata['ownerReferences'], false)
		}
	}

	async #discoverAll(connection: Connection, parts: Omit<ResourceParts, 'onChange'>, onAlive: () => void): Promise<void> {
		const backoff = createBackoff({ clock: this.#context.clock, firstMs: retryFirstMs, maxMs: this.#config.retryMaxMs })
		let looks = 0
		while (!this.#signal.aborted) {
			try {
				this.#isDiscoveryDue = false
				const seen = parts.spaces.floorOf(definitions)
				const served = await discover(connection, this.#config, this.#signal)
				onAlive()
				backoff.reset()
				this.#reconcile(served, parts)
				parts.spaces.discovered(seen)
				looks = this.#customResources.areAwaited ? looks + 1 : 0
				if (looks > 0 && looks <= looksMax) this.#isDiscoveryDue = true
				await this.#untilDue()
			} catch (error) {
				if (this.#signal.aborted) return
				const isRefused = error instanceof KubetapeError && error.code === 'KUBERNETES_AUTH'
				// Refused at the very start is a wrong configuration; later it may be a token that is renewed.
				if (!(error instanceof KubetapeError) || (isRefused && this.#followed.size === 0)) throw error
				this.#context.log.warn({ error: error.message }, 'the resources could not be looked up: it is tried again')
				await backoff.wait(this.#signal)
			}
		}
	}

	async #untilDue(): Promise<void> {
		if (!this.#isDiscoveryDue) {
			const woken = new AbortController()
			this.#wakeDiscovery = () => woken.abort()
			await this.#context.clock.sleep(this.#config.discoveryMs, AbortSignal.any([this.#signal, woken.signal]))
			this.#wakeDiscovery = undefined
		}
		await this.#context.clock.sleep(this.#isDiscoveryDue ? settleMs : 0, this.#signal)
	}

	#reconcile(served: readonly ServedResource[], parts: Omit<ResourceParts, 'onChange'>): void {
		const names = new Set(served.map(({ name }) => name))
		for (const [name, followed] of this.#followed) {
			if (names.has(name)) continue
			this.#followed.delete(name)
			this.#context.log.info({ resource: name }, 'the resource has gone')
			void this.#context.clock.sleep(lingerMs, this.#signal).then(() => followed.stop.abort())
			this.#ending.set(name, followed)
			void followed.running.then(() => this.#ending.delete(name))
		}
		for (const resource of this.#customResources.take(names)) {
			const ending = this.#ending.get(resource)
			const tell = async (): Promise<void> => {
				await ending?.running
				if (!this.#signal.aborted) await this.#customResources.tell(resource, parts, ending?.ledger)
			}
			void this.#track(tell())
		}
		// Definitions first: they name the kinds that Events are about.
		for (const resource of served.toSorted((a, b) => Number(b.name === definitions) - Number(a.name === definitions))) {
			const followed = this.#followed.get(resource.name)
			if (followed && followed.served.version === resource.version && followed.served.kind === resource.kind) continue
			followed?.stop.abort()
			this.#follow(resource, parts)
		}
		this.#context.metrics
			.gauge('kubetape_kubernetes_resources', 'Resources that are watched', ['cluster'])
			.set({ cluster: this.#context.cluster }, this.#followed.size)
	}

	#follow(served: ServedResource, parts: Omit<ResourceParts, 'onChange'>): void {
		const stop = new AbortController()
		const onChange = (): void => {
			this.#isDiscoveryDue = true
			this.#wakeDiscovery?.()
		}
		const signal = AbortSignal.any([this.#signal, stop.signal])
		const ledger = new Ledger(served, parts)
		const running = this.#track(
			followResource(served, ledger, { ...parts, ...(changesDiscovery.has(served.name) ? { onChange } : {}) }, signal),
		)
		this.#followed.set(served.name, { served, stop, ledger, running })
	}

	/** Waited for at the end of the session; a failure ends it. */
	#track(work: Promise<void>): Promise<void> {
		const running: Promise<void> = work.catch((error: unknown) => this.#fail(error)).finally(() => this.#running.delete(running))
		this.#running.add(running)
		return running
	}
}
