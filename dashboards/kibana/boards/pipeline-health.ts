// Whether the recording itself is whole: what each source gave and when last, what is missing and what was set aside.
import type { Dashboard, LensPanel, SavedSearch } from '#dashboards/kibana/panel.ts'
import { clusterControl, color, count, field, latest, overTime, top, unique } from '#dashboards/kibana/parts.ts'
import { is } from '#dashboards/kibana/query.ts'

const everything = { kind: 'lens', view: 'everything' } as const
const ledger = { kind: 'lens', view: 'ledger' } as const
const missing = is(field.kind, 'gap', 'reject')

const records: LensPanel = {
	...everything,
	id: 'records',
	title: 'Records',
	chart: 'number',
	buckets: [],
	metrics: [count('Records')],
	color: color.plain,
}
const clusters: LensPanel = {
	...everything,
	id: 'clusters',
	title: 'Clusters',
	chart: 'number',
	buckets: [],
	metrics: [unique('Clusters', field.cluster)],
	color: color.plain,
}
const gaps: LensPanel = {
	...ledger,
	id: 'gaps',
	title: 'Gaps',
	chart: 'number',
	where: is(field.kind, 'gap'),
	buckets: [],
	metrics: [count('Gaps')],
	color: color.bad,
}
const rejects: LensPanel = {
	...ledger,
	id: 'rejects',
	title: 'Rejects',
	chart: 'number',
	where: is(field.kind, 'reject'),
	buckets: [],
	metrics: [count('Rejects')],
	color: color.bad,
}

const bySource: LensPanel = {
	...everything,
	id: 'by-source',
	title: 'Records over time, by source',
	chart: 'bars',
	buckets: [top('Source', field.source, 10), overTime],
	metrics: [count('Records')],
}

const byKind: LensPanel = {
	...everything,
	id: 'by-kind',
	title: 'Records over time, by kind',
	chart: 'lines',
	buckets: [top('Kind', field.kind, 7), overTime],
	metrics: [count('Records')],
}

const sources: LensPanel = {
	...everything,
	id: 'sources',
	title: 'Sources: how much, and when last',
	chart: 'table',
	buckets: [top('Cluster', field.cluster, 50), top('Source', field.source, 10), top('Kind', field.kind, 7)],
	metrics: [count('Records'), latest],
}

const missingOverTime: LensPanel = {
	...ledger,
	id: 'missing-over-time',
	title: 'Coverage, gaps and rejects over time',
	chart: 'bars',
	buckets: [top('Statement', field.kind, 3), overTime],
	metrics: [count('Statements')],
}

const gapReasons: LensPanel = {
	...ledger,
	id: 'gap-reasons',
	title: 'Gaps: where, and why',
	chart: 'table',
	where: is(field.kind, 'gap'),
	buckets: [top('Cluster', field.cluster, 50), top('Where', field.statedScope, 20), top('Why', field.statedReason, 10)],
	metrics: [count('Gaps'), latest],
}

const rejectReasons: LensPanel = {
	...ledger,
	id: 'reject-reasons',
	title: 'Rejects: at which step, and why',
	chart: 'table',
	where: is(field.kind, 'reject'),
	buckets: [top('Source', field.source, 10), top('Step', field.rejectStep, 20), top('Why', field.statedReason, 50)],
	metrics: [count('Rejects'), latest],
}

const missingList: SavedSearch = {
	kind: 'search',
	id: 'gaps-and-rejects-list',
	title: 'Gaps and rejects',
	description: 'What is missing from the recording, where and why, and what could not be taken.',
	view: 'ledger',
	where: missing,
	columns: [field.kind, field.cluster, field.source, field.message],
}

const coverageList: SavedSearch = {
	kind: 'search',
	id: 'ledger',
	title: 'Coverage, gaps and rejects',
	description: 'Every statement about how whole the recording is.',
	view: 'ledger',
	columns: [field.kind, field.cluster, field.source, field.message],
}

export const pipelineHealth: Dashboard = {
	id: 'pipeline-health',
	title: 'Pipeline health',
	description: 'How whole the recording is. Counters of the running roles are in Prometheus: docs/reference/metrics.md.',
	controls: [clusterControl],
	rows: [
		{
			height: 6,
			panels: [
				[12, records],
				[12, clusters],
				[12, gaps],
				[12, rejects],
			],
		},
		{
			height: 12,
			panels: [
				[24, bySource],
				[24, byKind],
			],
		},
		{
			height: 15,
			panels: [
				[24, sources],
				[24, missingOverTime],
			],
		},
		{
			height: 14,
			panels: [
				[24, gapReasons],
				[24, rejectReasons],
			],
		},
		{ height: 14, panels: [[48, missingList]] },
		{ height: 14, panels: [[48, coverageList]] },
	],
}
