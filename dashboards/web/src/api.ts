// Asking the server.
import type { WireBucket, WireCluster, WireCoverage, WireDiff, WireItem, WirePage, WireState, WireVersion } from '#api/wire.ts'

export type Query = Readonly<Record<string, string>>

async function ask<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
	const text = new URLSearchParams(query).toString()
	const response = await fetch(`/api/v1/${path}${text === '' ? '' : `?${text}`}`, signal ? { signal } : {})
	const body = (await response.json()) as T & { error?: { message: string } }
	if (!response.ok) throw new Error(body.error?.message ?? `the server answered ${response.status}`)
	return body
}

/** `deployments.apps/shop/checkout` as it stands in a path. */
export function objectPath(cluster: string, key: string): string {
	const [resource = '', namespace = '', ...name] = key.split('/')
	return [cluster, resource, namespace, name.join('/')].map(encodeURIComponent).join('/')
}

export const api = {
	clusters: () => ask<WirePage<WireCluster>>('clusters', {}),
	timeline: (query: Query, signal: AbortSignal) => ask<WirePage<WireItem>>('timeline', query, signal),
	histogram: (query: Query, signal: AbortSignal) => ask<{ items: readonly WireBucket[] }>('timeline/histogram', query, signal),
	history: (path: string, query: Query, signal: AbortSignal) => ask<WirePage<WireVersion>>(`history/${path}`, query, signal),
	diff: (path: string, query: Query, signal: AbortSignal) => ask<WireDiff>(`history/${path}/diff`, query, signal),
	state: (path: string, query: Query, signal: AbortSignal) => ask<WireState>(`history/${path}/state`, query, signal),
	coverage: (query: Query, signal: AbortSignal) => ask<WireCoverage>('coverage', query, signal),
}
