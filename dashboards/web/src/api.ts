// Asking the server, and saying in words what went wrong.
import type { WireBucket, WireCluster, WireCoverage, WireDiff, WireItem, WirePage, WireReject, WireState, WireVersion } from '#api/wire.ts'
import { partsOf } from './items.ts'

export type Query = Readonly<Record<string, string>>

/** What the server answered, or that it did not answer at all (status 0). */
export class Problem extends Error {
	readonly status: number
	constructor(status: number, message: string) {
		super(message)
		this.status = status
	}
}

/** The message where nothing came back. */
const unreached = 'the server does not answer'
/** Longer than the server itself takes at most for an answer (30 s). */
const answerMs = 35_000
const clustersAnswerMs = 10_000

/** Whether it may be otherwise when it is asked again. */
export const mayPass = (error: unknown): boolean => error instanceof Problem && (error.status === 0 || error.status >= 500)

interface Failure {
	readonly error?: { readonly message?: string }
}

async function ask<T>(path: string, query: Query, signal: AbortSignal, withinMs = answerMs): Promise<T> {
	const text = new URLSearchParams(query).toString()
	const late = AbortSignal.timeout(withinMs)
	let response: Response
	try {
		response = await fetch(`/api/v1/${path}${text === '' ? '' : `?${text}`}`, { signal: AbortSignal.any([signal, late]) })
	} catch (error) {
		if (signal.aborted) throw error
		throw new Problem(0, unreached)
	}
	const body = await response.json().catch((error: unknown): Failure => {
		if (signal.aborted) throw error
		if (late.aborted) throw new Problem(0, unreached)
		return {} // a proxy's page, or an answer cut off: the status says what there is to say
	})
	if (!response.ok || body === null)
		throw new Problem(response.status, (body as Failure).error?.message ?? `the server answered ${response.status}`)
	return body as T
}

/** `deployments.apps/shop/checkout` as it stands in a path. */
export function objectPath(cluster: string, key: string): string {
	const { resource, namespace, name } = partsOf(key)
	return [cluster, resource, namespace === '' ? '-' : namespace, name].map(encodeURIComponent).join('/')
}

export const api = {
	clusters: (signal: AbortSignal) => ask<WirePage<WireCluster>>('clusters', {}, signal, clustersAnswerMs),
	timeline: (query: Query, signal: AbortSignal) => ask<WirePage<WireItem>>('timeline', query, signal),
	histogram: (query: Query, signal: AbortSignal) => ask<{ items: readonly WireBucket[] }>('timeline/histogram', query, signal),
	usersByCount: (query: Query, signal: AbortSignal) =>
		ask<WirePage<{ readonly value: string; readonly count: number }>>('audit/top', { ...query, by: 'user', limit: '100' }, signal),
	history: (path: string, query: Query, signal: AbortSignal) => ask<WirePage<WireVersion>>(`history/${path}`, query, signal),
	diff: (path: string, query: Query, signal: AbortSignal) => ask<WireDiff>(`history/${path}/diff`, query, signal),
	state: (path: string, query: Query, signal: AbortSignal) => ask<WireState>(`history/${path}/state`, query, signal),
	coverage: (query: Query, signal: AbortSignal) => ask<WireCoverage>('coverage', query, signal),
	rejects: (query: Query, signal: AbortSignal) => ask<WirePage<WireReject>>('rejects', query, signal),
}
