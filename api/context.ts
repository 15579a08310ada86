// What every route is built from: the store, the clock, what is known of the process, and the list of routes made so far.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '#runtime/clock.ts'
import type { HealthReport } from '#runtime/health.ts'
import type { Store } from '#storage/store/port.ts'
import type { RouteDescription } from './route.ts'

export interface ApiOptions {
	readonly store: Store
	readonly clock: Clock
	readonly metrics: {
		render(): Promise<string>
		/** Told of every answer: the route as it is declared (`unknown` where there is none), the status, and how long it took. */
		answered?(route: string, status: number, seconds: number): void
	}
	readonly health: { live(): HealthReport; ready(): Promise<HealthReport> }
	readonly clusters: readonly { readonly name: string; readonly replay: boolean }[]
	readonly logger: FastifyBaseLogger
	/** Folder of the built page; none: the API alone. */
	readonly webRoot?: string
	readonly version: string
}

export interface ApiContext extends ApiOptions {
	/** In the order they were added: /openapi.json and /docs are made from it. */
	readonly routes: RouteDescription[]
	/** Aborted when the server closes: live streams end then. */
	readonly closing: AbortSignal
}
