// The lane timeline: a lane for each object with most trouble, and on it what happened to the object. Drawn with Vega-Lite over the newest records.
import { indicesOf } from './data-views.ts'
import type { VegaPanel } from './panel.ts'
import { field } from './parts.ts'

/** More than Kibana draws without a pause; Elasticsearch gives at most 10,000. */
const recordsMax = 3000
const lanesMax = 30

/** What API servers write by themselves all the time, and no request can see. */
const clockwork = ['masterleases', 'peerserverleases']

const fields = [
	field.kind,
	field.severity,
	field.cluster,
	field.namespace,
	field.resource,
	field.name,
	field.message,
	field.action,
	field.user,
] as const

/** The first value of a field of a hit; empty where the record does not have it. */
const value = (name: string): string => `(datum.fields['${name}'] ? datum.fields['${name}'][0] : '')`

const as = (calculate: string, name: string): Readonly<Record<string, string>> => ({ calculate, as: name })

/** What is asked: versions of objects, and requests that failed. The names in percent signs are Kibana's: its query bar, filters and time come in there. */
function requestOf(prefix: string): Readonly<Record<string, unknown>> {
	const versions = { terms: { [field.kind]: ['change', 'event'] } }
	const failures = { term: { [field.outcome]: 'failure' } }
	return {
		index: indicesOf(prefix, 'everything'),
		body: {
			size: recordsMax,
			track_total_hits: false,
			_source: false,
			fields,
			sort: [{ '@timestamp': 'desc' }],
			query: {
				bool: {
					must: ['%dashboard_context-must_clause%', { range: { '@timestamp': { '%timefilter%': true } } }],
					filter: [
						'%dashboard_context-filter_clause%',
						{ term: { [field.noise]: false } },
						{ bool: { should: [versions, failures], minimum_should_match: 1 } },
					],
					must_not: ['%dashboard_context-must_not_clause%', { terms: { [field.resource]: clockwork } }],
				},
			},
		},
	}
}

/** Lanes in the order of their trouble; those of the least are left out. */
const lanes = [
	as('toNumber(datum.sort[0])', 'time'),
	...(
		[
			[field.kind, 'kind'],
			[field.severity, 'severity'],
			[field.namespace, 'namespace'],
			[field.resource, 'resource'],
			[field.name, 'name'],
			[field.message, 'summary'],
			[field.action, 'action'],
			[field.user, 'user'],
		] as const
	).map(([from, to]) => as(value(from), to)),
	as("datum.resource + ' ' + (datum.namespace === '' ? '' : datum.namespace + '/') + datum.name", 'lane'),
	as("datum.severity === 'error' ? 100 : datum.severity === 'warning' ? 10 : 0.1", 'weight'),
	{ joinaggregate: [{ op: 'sum', field: 'weight', as: 'laneWeight' }], groupby: ['lane'] },
	{
		window: [{ op: 'dense_rank', as: 'laneRank' }],
		sort: [
			{ field: 'laneWeight', order: 'descending' },
			{ field: 'lane', order: 'ascending' },
		],
	},
	{ filter: `datum.laneRank <= ${lanesMax}` },
]

/** Of 24 hours, as Kibana's own charts have it, in the time of the browser as they are. */
const clockFormat = {
	date: '%a %d',
	hours: '%H:%M',
	minutes: '%H:%M',
	seconds: '%H:%M:%S',
	milliseconds: '%H:%M:%S.%L',
}

const encoding = {
	x: { field: 'time', type: 'temporal', title: null, axis: { format: clockFormat, formatType: 'time' } },
	y: { field: 'lane', type: 'nominal', title: null, sort: { field: 'laneRank', op: 'min' }, axis: { labelLimit: 320, grid: true } },
	color: {
		field: 'severity',
		type: 'nominal',
		title: 'Severity',
		scale: { domain: ['normal', 'warning', 'error'], range: ['#6092C0', '#D6BF57', '#E7664C'] },
	},
	shape: {
		field: 'kind',
		type: 'nominal',
		title: 'Record',
		scale: { domain: ['change', 'event', 'audit'], range: ['circle', 'triangle-up', 'diamond'] },
	},
	tooltip: [
		{ field: 'time', type: 'temporal', title: 'time', format: '%Y-%m-%d %H:%M:%S.%L' },
		...['lane', 'kind', 'action', 'user', 'severity', 'summary'].map((name) => ({ field: name, type: 'nominal', title: name })),
	],
}

export const objectLanes: VegaPanel = {
	kind: 'vega',
	id: 'object-lanes',
	title: 'Objects with most trouble, a lane each',
	description: `Changes, cluster events and failed requests of the ${lanesMax} objects with most warnings and errors among the newest ${recordsMax} records.`,
	specification: (prefix) => ({
		// Kibana 9.0 has Vega-Lite 5, later ones 6, which draws this alike.
		$schema: 'https://vega.github.io/schema/vega-lite/v5.json',
		data: { url: requestOf(prefix), format: { property: 'hits.hits' } },
		transform: lanes,
		params: [{ name: 'zoom', select: { type: 'interval', encodings: ['x'] }, bind: 'scales' }],
		mark: { type: 'point', filled: true, size: 45, opacity: 0.85 },
		encoding,
	}),
}
