// What the API servers refused, and why: forbidden, in conflict, too many, broken.
import type { Dashboard, LensPanel, SavedSearch } from '#dashboards/kibana/panel.ts'
import {
	clusterControl,
	color,
	count,
	endedAnd,
	failed,
	field,
	forbidden,
	latest,
	namespaceControl,
	overTime,
	serverErrors,
	top,
	unique,
} from '#dashboards/kibana/parts.ts'
import { is, type Query } from '#dashboards/kibana/query.ts'

const audit = { kind: 'lens', view: 'audit' } as const
const number = (id: string, title: string, where: Query, paint: string): LensPanel => ({
	...audit,
	chart: 'number',
	id,
	title,
	where,
	buckets: [],
	metrics: [count(title)],
	color: paint,
})

const code = (size: number) => ({ by: 'terms', label: 'Status', field: field.code, size, type: 'number' }) as const

const codes: LensPanel = {
	...audit,
	id: 'codes',
	title: 'Failed requests over time, by status',
	chart: 'bars',
	where: endedAnd(failed),
	buckets: [code(10), overTime],
	metrics: [count('Failed requests')],
}

const tooMany = is(field.code, 429)
const conflicts = is(field.code, 409)

const sorts: LensPanel = {
	...audit,
	id: 'sorts',
	title: 'Failed requests over time, by sort',
	chart: 'bars',
	where: endedAnd(failed),
	buckets: [
		{
			by: 'filters',
			label: 'Sort',
			filters: [
				{ label: 'Forbidden', where: forbidden },
				{ label: 'Conflicts', where: conflicts },
				{ label: 'Not found', where: is(field.code, 404) },
				{ label: 'Too many', where: tooMany },
				{ label: 'Server errors', where: serverErrors },
			],
		},
		overTime,
	],
	metrics: [count('Failed requests')],
}

const refusedUsers: LensPanel = {
	...audit,
	id: 'refused-users',
	title: 'Forbidden: who, and what',
	chart: 'table',
	where: endedAnd(forbidden),
	buckets: [top('User', field.user, 20), top('Verb', field.action, 10), top('Resource', field.resource, 10)],
	metrics: [count('Requests'), latest],
}

const failingUsers: LensPanel = {
	...audit,
	id: 'failing-users',
	title: 'Users with most failed requests',
	chart: 'table',
	where: endedAnd(failed),
	buckets: [top('User', field.user, 30)],
	metrics: [
		count('Failed'),
		count('Forbidden', forbidden),
		count('Conflicts', conflicts),
		count('Server errors', serverErrors),
		unique('Names of objects', field.name),
		latest,
	],
}

const failingVerbs: LensPanel = {
	...audit,
	id: 'failing-resources',
	title: 'Failed requests: resource and status',
	chart: 'heatmap',
	where: endedAnd(failed),
	buckets: [top('Resource', field.resource, 12), code(12)],
	metrics: [count('Failed requests')],
}

const columns = [field.user, field.action, field.namespace, field.resource, field.subresource, field.name, field.code, field.message]

const refused: SavedSearch = {
	kind: 'search',
	id: 'forbidden-requests',
	title: 'Forbidden requests',
	description: 'Requests that were refused to who asked: 401 and 403.',
	view: 'audit',
	where: endedAnd(forbidden),
	columns,
}

const failedRequests: SavedSearch = {
	kind: 'search',
	id: 'all-failed-requests',
	title: 'Failed requests',
	description: 'Requests that were answered with a status of 400 or more, or not allowed.',
	view: 'audit',
	where: endedAnd(failed),
	columns,
}

export const failedAndForbidden: Dashboard = {
	id: 'failed-and-forbidden',
	title: 'Failed and forbidden',
	description: 'Requests that did not get what they asked for. The outcome is that of the answer, not of the authorization alone.',
	controls: [clusterControl, namespaceControl],
	rows: [
		{
			height: 6,
			panels: [
				[12, number('failed', 'Failed', endedAnd(failed), color.warning)],
				[12, number('forbidden', 'Forbidden', endedAnd(forbidden), color.bad)],
				[8, number('conflicts', 'Conflicts', endedAnd(conflicts), color.plain)],
				[8, number('too-many', 'Too many requests', endedAnd(tooMany), color.plain)],
				[8, number('server-errors', 'Server errors', endedAnd(serverErrors), color.bad)],
			],
		},
		{
			height: 12,
			panels: [
				[24, codes],
				[24, sorts],
			],
		},
		{
			height: 15,
			panels: [
				[24, refusedUsers],
				[24, failingUsers],
			],
		},
		{ height: 13, panels: [[48, failingVerbs]] },
		{ height: 15, panels: [[48, refused]] },
		{ height: 18, panels: [[48, failedRequests]] },
	],
}
