// Who asked the API servers for what: users, their writes, from where, and access to what is sensitive.
import type { Dashboard, LensPanel, SavedSearch } from '#dashboards/kibana/panel.ts'
import {
	byPeople,
	clusterControl,
	color,
	count,
	ended,
	endedAnd,
	failed,
	field,
	latest,
	namespaceControl,
	overTime,
	top,
	topAndOther,
	unique,
	writes,
} from '#dashboards/kibana/parts.ts'
import { either, exists, is } from '#dashboards/kibana/query.ts'

const audit = { kind: 'lens', view: 'audit' } as const
const number = { ...audit, chart: 'number', buckets: [] } as const

const requests: LensPanel = { ...number, id: 'requests', title: 'Requests', where: ended, metrics: [count('Requests')], color: color.plain }
const users: LensPanel = {
	...number,
	id: 'users',
	title: 'Users',
	where: ended,
	metrics: [unique('Users', field.user)],
	color: color.plain,
}
const peopleWrites: LensPanel = {
	...number,
	id: 'people-writes',
	title: 'Writes not by the system',
	where: endedAnd(writes, byPeople),
	metrics: [count('Writes not by the system')],
	color: color.warning,
}
const impersonated: LensPanel = {
	...number,
	id: 'impersonated',
	title: 'Requests in the name of another',
	where: endedAnd(exists(field.effectiveUser)),
	metrics: [count('Requests in the name of another')],
	color: color.bad,
}

const writesOverTime: LensPanel = {
	...audit,
	id: 'writes-over-time',
	title: 'Writes over time, by user',
	chart: 'bars',
	where: endedAnd(writes),
	buckets: [topAndOther('User', field.user, 10), overTime],
	metrics: [count('Writes')],
}

const people: LensPanel = {
	...audit,
	id: 'people',
	title: 'Users, without those of the system',
	chart: 'table',
	where: endedAnd(byPeople),
	buckets: [top('User', field.user, 50)],
	metrics: [count('Requests'), count('Writes', writes), count('Failed', failed), unique('Names of objects', field.name), latest],
}

const verbs: LensPanel = {
	...audit,
	id: 'verbs',
	title: 'User and verb',
	chart: 'heatmap',
	where: endedAnd(byPeople),
	buckets: [top('User', field.user, 12), top('Verb', field.action, 12)],
	metrics: [count('Requests')],
}

const sensitive: LensPanel = {
	...audit,
	id: 'sensitive',
	title: 'Secrets, shells and rights, without the system',
	chart: 'table',
	where: endedAnd(
		byPeople,
		either(
			is(field.resource, 'secrets', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings', 'serviceaccounts'),
			is(field.subresource, 'exec', 'attach', 'portforward', 'ephemeralcontainers', 'token'),
		),
	),
	buckets: [top('User', field.user, 20), top('Resource', field.resource, 10), top('Verb', field.action, 10)],
	metrics: [count('Requests'), count('Failed', failed), latest],
}

const clients: LensPanel = {
	...audit,
	id: 'clients',
	title: 'Clients',
	chart: 'table',
	where: ended,
	buckets: [top('Client', field.userAgent, 50)],
	metrics: [count('Requests'), unique('Users', field.user), latest],
}

const addresses: LensPanel = {
	...audit,
	id: 'addresses',
	title: 'Addresses',
	chart: 'table',
	where: ended,
	buckets: [{ by: 'terms', label: 'Address', field: field.address, size: 50, type: 'ip' }],
	metrics: [count('Requests'), unique('Users', field.user), latest],
}

const writesByPeople: SavedSearch = {
	kind: 'search',
	id: 'writes-by-people',
	title: 'Writes, without those of the system',
	description: 'Each request that was to write something, by users that are not system:….',
	view: 'audit',
	where: endedAnd(writes, byPeople),
	columns: [field.user, field.effectiveUser, field.action, field.namespace, field.resource, field.subresource, field.name, field.code],
}

export const whoDidWhat: Dashboard = {
	id: 'who-did-what',
	title: 'Who did what',
	description: 'Requests to the API servers, from their audit logs: each request once.',
	controls: [clusterControl, namespaceControl],
	rows: [
		{
			height: 6,
			panels: [
				[12, requests],
				[12, users],
				[12, peopleWrites],
				[12, impersonated],
			],
		},
		{ height: 13, panels: [[48, writesOverTime]] },
		{
			height: 15,
			panels: [
				[28, people],
				[20, verbs],
			],
		},
		{ height: 15, panels: [[48, sensitive]] },
		{
			height: 15,
			panels: [
				[28, clients],
				[20, addresses],
			],
		},
		{ height: 18, panels: [[48, writesByPeople]] },
	],
}
