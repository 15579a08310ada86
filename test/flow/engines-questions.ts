// Questions for every read route of the API, made of what a recorded incident holds: parameters of every kind, and pages to their end.
import type { WireItem, WirePage } from '#api/wire.ts'

/** Status and body, with a blank between. */
export type Ask = (url: string) => Promise<string>
/** By route of the OpenAPI document. */
export type Questions = Readonly<Record<string, readonly string[]>>

/** What the questions are made of. */
export interface Material {
	readonly cluster: string
	readonly items: readonly WireItem[]
}

export async function materialOf(ask: Ask, cluster: string): Promise<Material> {
	const items: WireItem[] = []
	for (const kind of ['changes', 'events', 'audit', 'logs']) {
		const answer = await ask(`/api/v1/timeline?cluster=${cluster}&include=${kind}&limit=1000`)
		const page = JSON.parse(answer.slice(4)) as WirePage<WireItem>
		items.push(...page.items)
	}
	return { cluster, items }
}

/** Up to `count` of them, from all over the list. */
function some<T>(list: readonly T[], count: number): readonly T[] {
	const step = Math.max(1, Math.floor(list.length / count))
	return list.filter((_, index) => index % step === 0).slice(0, count)
}

const distinct = (values: readonly (string | undefined)[]): readonly string[] =>
	[...new Set(values)].filter((value) => value !== undefined && value !== '') as string[]
const query = (parameters: Readonly<Record<string, string>>): string => new URLSearchParams(parameters).toString()

function timelineQuestions({ cluster, items }: Material): readonly Readonly<Record<string, string>>[] {
	const objects = some(
		items.filter(({ object }) => object !== undefined),
		25,
	)
	const audits = some(
		items.filter(({ audit }) => audit !== undefined),
		12,
	)
	const logs = some(
		items.filter(({ log }) => log !== undefined),
		8,
	)
	const times = items.map(({ time }) => time).toSorted((a, b) => (a < b ? -1 : 1))
	const early = times[Math.floor(times.length / 4)] ?? ''
	const late = times[Math.floor(times.length / 2)] ?? ''
	const words = distinct(items.flatMap(({ summary }) => some(summary.split(/[^\p{L}\p{N}]+/u), 2)))
	return [
		{},
		{ cluster },
		{ order: 'asc' },
		{ noise: 'true', limit: '7' },
		{ from: early, to: late, limit: '1000' },
		{ include: 'changes,events,audit,logs', noise: 'true', limit: '1000' },
		{ from: late },
		{ to: early },
		...['changes', 'events', 'audit', 'logs', 'changes,audit'].map((include) => ({ include })),
		...['normal', 'warning', 'error'].map((severity) => ({ severity })),
		...distinct(items.map(({ object }) => object?.namespace)).map((namespace) => ({ namespace })),
		...distinct(items.map(({ objectKind }) => objectKind)).map((kind) => ({ kind })),
		...objects.flatMap(({ object, objectKind, uid }) => [
			{ name: object?.name ?? '' },
			{ kind: objectKind ?? object?.resource ?? '', name: object?.name ?? '', owner: 'true' },
			...(uid === undefined ? [] : [{ uid }, { uid, owner: 'true' }]),
		]),
		...audits.flatMap(({ audit }) => [
			{ user: audit?.user ?? '', verb: audit?.verb ?? '' },
			{ userAgent: audit?.userAgent ?? '' },
			{ sourceIP: audit?.sourceIPs[0] ?? '' },
			{ code: String(audit?.code ?? 0), decision: audit?.decision ?? '' },
		]),
		{ resource: 'pods' },
		{ resource: 'deployments.apps', subresource: 'scale' },
		{ subresource: 'status' },
		...logs.flatMap(({ log }) => [
			{ pod: log?.pod ?? '', container: log?.container ?? '' },
			{ node: log?.node ?? '', level: log?.level ?? '' },
			{ stream: log?.stream ?? '', restart: String(log?.restart ?? 0) },
		]),
		{ unit: 'kubelet' },
		...some(words, 12).map((q) => ({ q })),
		...some(items, 8).map(({ summary }) => ({ q: `"${summary.replaceAll('"', '').slice(0, 60)}"` })),
		{ q: 'nothing-of-this-kind-was-said' },
		{ q: '"' },
	].filter((parameters) => Object.values(parameters).every((value) => value !== ''))
}

/** A route that is not here fails the test that asks them. */
export function questionsOf(material: Material): Questions {
	const { cluster, items } = material
	const filters = timelineQuestions(material)
	const times = items.map(({ time }) => time).toSorted((a, b) => (a < b ? -1 : 1))
	const moments = some(times, 6)
	const auditFilters = filters.filter((parameters) =>
		['kind', 'uid', 'owner', 'include', 'pod', 'container', 'node', 'unit', 'level', 'stream', 'restart', 'noise'].every(
			(name) => parameters[name] === undefined,
		),
	)
	const logFilters = filters.filter((parameters) =>
		['user', 'verb', 'resource', 'subresource', 'code', 'decision', 'sourceIP', 'userAgent', 'include', 'noise'].every(
			(name) => parameters[name] === undefined,
		),
	)
	const revisions = some(
		items.flatMap(({ revision }) => revision ?? []),
		4,
	)
	const objects = some(
		items.filter(({ kind, object }) => (kind === 'change' || kind === 'event') && object !== undefined),
		8,
	)
	const paths = objects.map(({ event, object }) => {
		const { resource = '', group = '', namespace = '', name = '' } = event?.object ?? object ?? {}
		const full = group === '' ? resource : `${resource}.${group}`
		return `/api/v1/history/${cluster}/${full}/${namespace === '' ? '-' : namespace}/${encodeURIComponent(name)}`
	})
	const lines = some(
		items.filter(({ kind }) => kind === 'log'),
		6,
	)
	const history = '/api/v1/history/{cluster}/{resource}/{namespace}/{name}'
	return {
		'/api/v1/clusters': ['/api/v1/clusters'],
		'/api/v1/timeline': filters.map((parameters) => `/api/v1/timeline?${query({ limit: '100', ...parameters })}`),
		'/api/v1/timeline/histogram': filters
			.filter(({ limit, order }) => limit === undefined && order === undefined)
			.flatMap((parameters, index) => [
				`/api/v1/timeline/histogram?${query({ ...parameters, buckets: String(1 + ((index * 37) % 240)) })}`,
			]),
		'/api/v1/audit': auditFilters.flatMap((parameters) => [
			`/api/v1/audit?${query({ limit: '60', ...parameters })}`,
			`/api/v1/audit?${query({ limit: '30', ...parameters, collapse: 'true' })}`,
		]),
		'/api/v1/audit/top': ['user', 'verb', 'resource', 'namespace', 'code', 'userAgent', 'sourceIP'].flatMap((by) => [
			`/api/v1/audit/top?${query({ by })}`,
			`/api/v1/audit/top?${query({ by, cluster, namespace: 'shop', limit: '3' })}`,
			`/api/v1/audit/top?${query({ by, verb: 'patch', from: moments[1] ?? '', to: moments[4] ?? '' })}`,
		]),
		'/api/v1/logs': logFilters.map((parameters) => `/api/v1/logs?${query({ limit: '100', ...parameters })}`),
		'/api/v1/logs/{cluster}/{id}': lines.map(({ id }) => `/api/v1/logs/${cluster}/${id}`),
		'/api/v1/logs/{cluster}/{id}/context': lines.flatMap(({ id }) => [
			`/api/v1/logs/${cluster}/${id}/context`,
			`/api/v1/logs/${cluster}/${id}/context?before=3&after=40`,
		]),
		'/api/v1/objects': [
			...moments.flatMap((at) => [
				`/api/v1/objects?${query({ cluster, at, limit: '1000' })}`,
				`/api/v1/objects?${query({ cluster, at, kind: 'Pod', namespace: 'shop' })}`,
				`/api/v1/objects?${query({ cluster, at, kind: 'deployments.apps', labelSelector: 'app' })}`,
				`/api/v1/objects?${query({ cluster, at, kind: 'Event' })}`,
			]),
			...revisions.flatMap((at) => [
				`/api/v1/objects?${query({ cluster, at })}`,
				`/api/v1/objects?${query({ cluster, at, namespace: 'shop', limit: '5' })}`,
			]),
			`/api/v1/objects?${query({ cluster, kind: 'Pod', fieldSelector: 'status.phase=Running' })}`,
		],
		[history]: paths.flatMap((path) => [`${path}?limit=4`, `${path}?order=desc`, `${path}?from=${moments[2]}`]),
		[`${history}/state`]: paths.flatMap((path) =>
			[path, ...moments.slice(1, 3), ...revisions.slice(0, 2)].slice(1).map((at) => `${path}/state?at=${at}`),
		),
		[`${history}/diff`]: paths.flatMap((path) => [`${path}/diff`, `${path}/diff?from=${moments[1]}&to=${moments[5]}`]),
		'/api/v1/coverage': [`/api/v1/coverage?cluster=${cluster}`, `/api/v1/coverage?cluster=${cluster}&from=${moments[3]}`],
		'/api/v1/rejects': ['/api/v1/rejects', `/api/v1/rejects?cluster=${cluster}&order=asc&limit=1`],
	}
}
