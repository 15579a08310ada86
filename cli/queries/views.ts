// What each answer shows as a table.
import type { WireCluster, WireCoverage, WireDiff, WireItem, WireObject, WireState, WireVersion } from '#api/wire.ts'
import { plain, type Column } from './table.ts'

export interface Table {
	readonly columns: readonly Column[]
	readonly rows: readonly (readonly string[])[]
}

/** To the millisecond; the record has microseconds. */
export const shortTime = (time: string): string => time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d\.\d{3})\d*Z$/, '$1 $2')

/** `0.4s`, `12s`, `3m`; empty where the time is exact to the millisecond. */
export function shortBound(seconds: number): string {
	if (seconds < 0.001) return ''
	if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 3 : 1)}s`
	return seconds < 120 ? `${Math.round(seconds)}s` : `${Math.round(seconds / 60)}m`
}

export function shortObject(object: WireObject | undefined, kind?: string): string {
	if (!object) return ''
	const type = kind?.toLowerCase() || object.resource
	return `${object.namespace === '' ? '' : `${object.namespace}/`}${type}/${object.name}`
}

const timeColumns: readonly Column[] = [{ title: 'TIME' }, { title: '±' }]

function who(item: WireItem): string {
	if (item.audit) return item.audit.impersonated || item.audit.user
	if (item.event) return item.event.reporter
	if (item.log) return item.log.container || item.log.component
	return ''
}

function what(item: WireItem): string {
	if (item.log) return item.log.pod ? `${item.log.namespace}/${item.log.pod}` : item.log.node
	return shortObject(item.object, item.objectKind)
}

export const itemColumns: readonly Column[] = [
	...timeColumns,
	{ title: 'KIND' },
	{ title: 'WHAT', flexible: true },
	{ title: 'WHO', flexible: true },
	{ title: 'SUMMARY', flexible: true },
]

export function itemRow(item: WireItem): readonly string[] {
	const mark = item.severity === 'normal' ? '' : item.severity === 'warning' ? '! ' : '!! '
	return [
		shortTime(item.time),
		shortBound(item.timeBoundSeconds),
		item.operation && item.kind === 'change' ? item.operation : item.kind,
		what(item),
		who(item),
		mark + item.summary,
	]
}

export const auditTable = (items: readonly WireItem[]): Table => ({
	columns: [
		{ title: 'TIME' },
		{ title: 'USER', flexible: true },
		{ title: 'VERB' },
		{ title: 'WHAT', flexible: true },
		{ title: 'CODE' },
		{ title: 'FROM' },
		{ title: 'USER AGENT', flexible: true },
	],
	rows: items.map((item) => {
		const sub = item.audit?.subresource ? `/${item.audit.subresource}` : ''
		const about = item.object ? shortObject(item.object) + sub : (item.audit?.requestURI ?? '')
		return [
			shortTime(item.time),
			who(item),
			item.audit?.verb ?? '',
			about,
			String(item.audit?.code ?? ''),
			item.audit?.sourceIPs[0] ?? '',
			item.audit?.userAgent ?? '',
		]
	}),
})

export const historyTable = (items: readonly WireVersion[]): Table => ({
	columns: [
		{ title: 'REVISION' },
		...timeColumns,
		{ title: 'OPERATION' },
		{ title: 'WHO', flexible: true },
		{ title: 'TIER' },
		{ title: 'SUMMARY', flexible: true },
	],
	rows: items.map((item) => [
		item.revision ?? '',
		shortTime(item.time),
		shortBound(item.timeBoundSeconds),
		item.operation ?? item.kind,
		item.actor?.impersonated || item.actor?.user || '',
		item.actor?.tier ?? '',
		item.summary,
	]),
})

const value = (json: unknown): string => plain(typeof json === 'string' ? json : JSON.stringify(json))

/** One line per field: `~ path: before → after`. */
export function diffText(diff: WireDiff): string {
	const by = diff.actor && diff.actor.tier === 'exact' ? ` by ${diff.actor.impersonated || diff.actor.user} (${diff.actor.verb})` : ''
	const head = `${shortObject(diff.object)}  ${diff.from ?? 'nothing'} → ${diff.to ?? 'nothing'}${by}\n${diff.summary}\n`
	const lines = diff.changes.map((change) => {
		if (change.op === 'added') return `+ ${change.path}: ${value(change.after)}\n`
		if (change.op === 'removed') return `- ${change.path}: ${value(change.before)}\n`
		return `~ ${change.path}: ${value(change.before)} → ${value(change.after)}\n`
	})
	return plain(head.split('\n')[0] ?? '') + head.slice(head.indexOf('\n')) + lines.map((line) => `  ${plain(line.trimEnd())}\n`).join('')
}

export const rangeTable = (coverage: WireCoverage): Table => ({
	columns: [{ title: 'SEEN WHOLE' }, { title: 'SCOPE', flexible: true }, { title: 'VERSIONS' }, { title: 'CHAIN' }],
	rows: coverage.ranges.map((range) => [`${range.from}..${range.to}`, range.scope, String(range.versions), range.chain.slice(0, 16)]),
})

export const gapTable = (coverage: WireCoverage): Table => ({
	columns: [
		{ title: 'MISSING' },
		{ title: 'SCOPE', flexible: true },
		{ title: 'WHY' },
		{ title: 'OBJECTS' },
		{ title: 'DETAIL', flexible: true },
	],
	rows: coverage.gaps.map((gap) => [
		gap.from === null && gap.to === null ? '?' : `${gap.from ?? '?'}..${gap.to ?? '?'}`,
		gap.scope,
		gap.reason,
		String(gap.touchedCount),
		gap.detail,
	]),
})

export const logLine = (item: WireItem): string =>
	plain(`${shortTime(item.time)}  ${what(item)}${item.log?.container ? `/${item.log.container}` : ''}  ${item.summary}`) + '\n'

export const objectTable = (items: readonly WireState[]): Table => ({
	columns: [
		{ title: 'NAMESPACE' },
		{ title: 'NAME', flexible: true },
		{ title: 'REVISION' },
		{ title: 'SINCE' },
		{ title: 'LAST CHANGE', flexible: true },
	],
	rows: items.map(({ item }) => {
		const object = item.event?.object ?? item.object
		return [object?.namespace ?? '', object?.name ?? '', item.revision ?? '', shortTime(item.time), item.summary]
	}),
})

export const clusterTable = (items: readonly WireCluster[]): Table => ({
	columns: [{ title: 'NAME' }, { title: 'FIRST' }, { title: 'LAST' }, { title: 'REVISIONS' }, { title: 'RECORDS', flexible: true }],
	rows: items.map((cluster) => [
		cluster.name,
		shortTime(cluster.firstTime),
		shortTime(cluster.lastTime),
		cluster.spaces.map((space) => `${space.firstRevision}..${space.lastRevision}`).join(' '),
		Object.entries(cluster.counts)
			.map(([kind, count]) => `${kind} ${count}`)
			.join(', '),
	]),
})

export const topTable = (items: readonly { readonly value: string; readonly count: number }[], by: string): Table => ({
	columns: [{ title: by.toUpperCase(), flexible: true }, { title: 'COUNT' }],
	rows: items.map((item) => [item.value, String(item.count)]),
})
