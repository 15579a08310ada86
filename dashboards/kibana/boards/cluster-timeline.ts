// What happened in the clusters, in one order: what stands out, when, and to which objects.
import type { Dashboard, LensPanel, SavedSearch } from '#dashboards/kibana/panel.ts'
import {
	alarming,
	clusterControl,
	color,
	count,
	endedAnd,
	failed,
	field,
	latest,
	namespaceControl,
	overTime,
	told,
	top,
	topAndOther,
} from '#dashboards/kibana/parts.ts'
import { all, is } from '#dashboards/kibana/query.ts'
import { objectLanes } from '#dashboards/kibana/object-lanes.ts'

const number = (panel: Pick<LensPanel, 'id' | 'title' | 'view' | 'where' | 'color'>): LensPanel => ({
	kind: 'lens',
	chart: 'number',
	buckets: [],
	metrics: [count(panel.title)],
	...panel,
})

const changes = number({ id: 'changes', title: 'Changes', view: 'changes', where: told, color: color.plain })
const warnings = number({
	id: 'warning-events',
	title: 'Warning events',
	view: 'events',
	where: all(told, is(field.eventType, 'Warning')),
	color: color.warning,
})
const failures = number({ id: 'failed-requests', title: 'Failed requests', view: 'audit', where: endedAnd(failed), color: color.bad })
const missing = number({
	id: 'gaps-and-rejects',
	title: 'Gaps and rejects',
	view: 'ledger',
	where: is(field.kind, 'gap', 'reject'),
	color: color.bad,
})

const density: LensPanel = {
	kind: 'lens',
	id: 'density',
	title: 'Records over time, by kind',
	view: 'everything',
	chart: 'bars',
	where: told,
	buckets: [top('Kind', field.kind, 7), overTime],
	metrics: [count('Records')],
}

const trouble: LensPanel = {
	kind: 'lens',
	id: 'trouble',
	title: 'Warnings and errors over time, by kind',
	view: 'everything',
	chart: 'bars',
	where: all(told, alarming),
	buckets: [top('Kind', field.kind, 7), overTime],
	metrics: [count('Records')],
}

const objects: LensPanel = {
	kind: 'lens',
	id: 'objects-in-trouble',
	title: 'Objects with most warnings and errors',
	view: 'everything',
	chart: 'table',
	where: all(told, alarming),
	buckets: [top('Namespace', field.namespace, 10), top('Resource', field.resource, 5), top('Name', field.name, 5)],
	metrics: [count('Warnings and errors'), latest],
}

const namespaces: LensPanel = {
	kind: 'lens',
	id: 'namespaces',
	title: 'Records by namespace',
	view: 'everything',
	chart: 'donut',
	where: told,
	buckets: [topAndOther('Namespace', field.namespace, 8)],
	metrics: [count('Records')],
}

const standsOut: SavedSearch = {
	kind: 'search',
	id: 'stands-out',
	title: 'What stands out',
	description: 'Every change, cluster event, log line and request that is a warning or an error.',
	view: 'everything',
	where: all(told, alarming),
	columns: [field.kind, field.severity, field.cluster, field.namespace, field.resource, field.name, field.message],
}

export const clusterTimeline: Dashboard = {
	id: 'cluster-timeline',
	title: 'Cluster timeline',
	description: 'What changed, who changed it, what broke: all records of the clusters in one order.',
	controls: [clusterControl, namespaceControl],
	rows: [
		{
			height: 6,
			panels: [
				[12, changes],
				[12, warnings],
				[12, failures],
				[12, missing],
			],
		},
		{
			height: 11,
			panels: [
				[24, density],
				[24, trouble],
			],
		},
		{ height: 26, panels: [[48, objectLanes]] },
		{
			height: 15,
			panels: [
				[32, objects],
				[16, namespaces],
			],
		},
		{ height: 18, panels: [[48, standsOut]] },
	],
}
