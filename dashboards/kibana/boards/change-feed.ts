// What changed in the clusters: which objects, which of their fields, which images.
import type { Dashboard, LensPanel, SavedSearch } from '#dashboards/kibana/panel.ts'
import {
	alarming,
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
import { all, either, is, type Query } from '#dashboards/kibana/query.ts'

const changes = { kind: 'lens', view: 'changes' } as const
const number = (id: string, title: string, where: Query, paint: string): LensPanel => ({
	...changes,
	chart: 'number',
	id,
	title,
	where: all(told, where),
	buckets: [],
	metrics: [count(title)],
	color: paint,
})

/** What somebody wanted, not what came of it. */
const wanted = either(is(field.action, 'created', 'deleted'), is(field.facets, 'spec', 'data'))

const operations: LensPanel = {
	...changes,
	id: 'operations',
	title: 'Changes over time, by operation',
	chart: 'bars',
	where: told,
	buckets: [top('Operation', field.action, 3), overTime],
	metrics: [count('Changes')],
}

const resources: LensPanel = {
	...changes,
	id: 'resources',
	title: 'Changes over time, by resource',
	chart: 'bars',
	where: told,
	buckets: [topAndOther('Resource', field.resource, 10), overTime],
	metrics: [count('Changes')],
}

const objects: LensPanel = {
	...changes,
	id: 'most-changed',
	title: 'Most changed objects',
	chart: 'table',
	where: told,
	buckets: [top('Namespace', field.namespace, 10), top('Resource', field.resource, 5), top('Name', field.name, 5)],
	metrics: [count('Changes'), count('Of spec or data', is(field.facets, 'spec', 'data')), count('Alarming', alarming), latest],
}

const paths: LensPanel = {
	...changes,
	id: 'paths',
	title: 'Changed fields',
	chart: 'table',
	where: all(told, is(field.facets, 'spec', 'data')),
	buckets: [top('Field', field.paths, 100)],
	metrics: [count('Changes'), unique('Names of objects', field.name), latest],
}

const images: LensPanel = {
	...changes,
	id: 'images',
	title: 'Images in changed objects',
	chart: 'table',
	where: all(told, wanted),
	buckets: [top('Image', field.image, 50)],
	metrics: [count('Changes'), unique('Names of objects', field.name), latest],
}

const namespaces: LensPanel = {
	...changes,
	id: 'namespace-operations',
	title: 'Namespace and operation',
	chart: 'heatmap',
	where: told,
	buckets: [top('Namespace', field.namespace, 15), top('Operation', field.action, 3)],
	metrics: [count('Changes')],
}

const feed: SavedSearch = {
	kind: 'search',
	id: 'wanted-changes',
	title: 'Changes that were wanted',
	description: 'What was created, deleted, or changed in its spec or data; without what controllers report in status.',
	view: 'changes',
	where: all(told, wanted),
	columns: [field.cluster, field.namespace, field.resource, field.name, field.action, field.revision, field.message],
}

const everyChange: SavedSearch = {
	kind: 'search',
	id: 'every-change',
	title: 'Changes',
	description: 'Every change, status included; without Leases that only renewed.',
	view: 'changes',
	where: told,
	columns: [field.cluster, field.namespace, field.resource, field.name, field.action, field.revision, field.message],
}

export const changeFeed: Dashboard = {
	id: 'change-feed',
	title: 'Change feed',
	description: 'Writes to the objects of the clusters, each at its revision.',
	controls: [clusterControl, namespaceControl],
	rows: [
		{
			height: 6,
			panels: [
				[10, number('created', 'Created', is(field.action, 'created'), color.good)],
				[10, number('updated', 'Updated', is(field.action, 'updated'), color.plain)],
				[9, number('deleted', 'Deleted', is(field.action, 'deleted'), color.bad)],
				[10, number('spec', 'Of spec or data', is(field.facets, 'spec', 'data'), color.warning)],
				[9, number('alarming', 'Alarming', alarming, color.bad)],
			],
		},
		{
			height: 12,
			panels: [
				[24, operations],
				[24, resources],
			],
		},
		{ height: 18, panels: [[48, feed]] },
		{
			height: 16,
			panels: [
				[30, objects],
				[18, namespaces],
			],
		},
		{
			height: 16,
			panels: [
				[28, paths],
				[20, images],
			],
		},
		{ height: 16, panels: [[48, everyChange]] },
	],
}
