// What the components of the clusters told: Kubernetes Events, kept beyond the hour for which the cluster has them.
import type { Dashboard, LensPanel, SavedSearch } from '#dashboards/kibana/panel.ts'
import {
	clusterControl,
	color,
	count,
	field,
	latest,
	namespaceControl,
	overTime,
	told,
	top,
	topAndOther,
	unique,
} from '#dashboards/kibana/parts.ts'
import { all, is } from '#dashboards/kibana/query.ts'

const panel = { kind: 'lens', view: 'events' } as const
const number = { ...panel, chart: 'number', buckets: [] } as const
const warning = all(told, is(field.eventType, 'Warning'))

const total: LensPanel = {
	...number,
	id: 'all-events',
	title: 'Cluster events',
	where: told,
	metrics: [count('Cluster events')],
	color: color.plain,
}
const warnings: LensPanel = {
	...number,
	id: 'warnings',
	title: 'Warnings',
	where: warning,
	metrics: [count('Warnings')],
	color: color.warning,
}
const reasons: LensPanel = {
	...number,
	id: 'warning-reasons',
	title: 'Reasons of warnings',
	where: warning,
	metrics: [unique('Reasons of warnings', field.reason)],
	color: color.warning,
}
const objects: LensPanel = {
	...number,
	id: 'objects-warned-of',
	title: 'Objects warned of',
	where: warning,
	metrics: [unique('Objects warned of', field.regardingUid)],
	color: color.bad,
}

const types: LensPanel = {
	...panel,
	id: 'event-types',
	title: 'Cluster events over time, by type',
	chart: 'bars',
	where: told,
	buckets: [top('Type', field.eventType, 3), overTime],
	metrics: [count('Cluster events')],
}

const warningsOverTime: LensPanel = {
	...panel,
	id: 'warnings-over-time',
	title: 'Warnings over time, by reason',
	chart: 'bars',
	where: warning,
	buckets: [topAndOther('Reason', field.reason, 10), overTime],
	metrics: [count('Warnings')],
}

const byReason: LensPanel = {
	...panel,
	id: 'reasons',
	title: 'Reasons',
	chart: 'table',
	where: told,
	buckets: [top('Type', field.eventType, 3), top('Reason', field.reason, 50)],
	metrics: [count('Cluster events'), unique('Objects', field.regardingUid), latest],
}

const byObject: LensPanel = {
	...panel,
	id: 'warned-objects',
	title: 'Objects with most warnings',
	chart: 'table',
	where: warning,
	buckets: [top('Namespace', field.namespace, 10), top('Kind', field.regardingKind, 5), top('Name', field.regardingName, 5)],
	metrics: [count('Warnings'), unique('Reasons', field.reason), latest],
}

const reporters: LensPanel = {
	...panel,
	id: 'reporters',
	title: 'Reported by',
	chart: 'donut',
	where: told,
	buckets: [topAndOther('Component', field.eventSource, 8)],
	metrics: [count('Cluster events')],
}

const kinds: LensPanel = {
	...panel,
	id: 'kind-reason',
	title: 'Kind and reason of warnings',
	chart: 'heatmap',
	where: warning,
	buckets: [top('Kind', field.regardingKind, 10), top('Reason', field.reason, 15)],
	metrics: [count('Warnings')],
}

const warningList: SavedSearch = {
	kind: 'search',
	id: 'warning-list',
	title: 'Warning events',
	description: 'Each version of each Event of type Warning: a count that goes up is a version.',
	view: 'events',
	where: warning,
	columns: [field.cluster, field.namespace, field.regardingKind, field.regardingName, field.reason, field.eventCount, field.message],
}

export const events: Dashboard = {
	id: 'events',
	title: 'Events',
	description: 'Kubernetes Events of the clusters, each version of them.',
	controls: [clusterControl, namespaceControl],
	rows: [
		{
			height: 6,
			panels: [
				[12, total],
				[12, warnings],
				[12, reasons],
				[12, objects],
			],
		},
		{
			height: 12,
			panels: [
				[24, types],
				[24, warningsOverTime],
			],
		},
		{
			height: 16,
			panels: [
				[28, byReason],
				[20, reporters],
			],
		},
		{
			height: 16,
			panels: [
				[28, byObject],
				[20, kinds],
			],
		},
		{ height: 18, panels: [[48, warningList]] },
	],
}
