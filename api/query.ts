// Query parameters (DESIGN: what outsiders rely on) and what they mean to the store.
import { Type, type Static, type TSchema } from 'typebox'
import type { RecordKind } from '#records/record.ts'
import { parseRevision } from '#records/revision.ts'
import { parseTimeExpression, timeForms, type Micros } from '#records/time.ts'
import type { Clock } from '#runtime/clock.ts'
import { nearest } from '#runtime/nearest.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { limits } from '#runtime/limits.ts'
import type { At, Filter, PageRequest } from '#storage/store/port.ts'
import { apiLimits } from './api-limits.ts'

const text = (description: string) => Type.Optional(Type.String({ description, maxLength: apiLimits.textCharsMax }))
const words = <T extends string>(description: string, values: readonly T[], otherwise?: T) =>
	Type.Optional(Type.Unsafe<T>({ type: 'string', enum: values, description, ...(otherwise ? { default: otherwise } : {}) }))

export const rangeParameters = {
	from: text('Begin, inclusive: RFC 3339, a date (2026-11-23: its beginning in UTC) or date math (now-15m; units s, m, h, d, w).'),
	to: text('End, inclusive, in the same forms.'),
}

export const pageParameters = {
	limit: Type.Optional(
		Type.Integer({ minimum: 1, maximum: limits.pageItemsMax, default: limits.pageItemsDefault, description: 'Items of a page.' }),
	),
	cursor: Type.Optional(Type.String({ maxLength: apiLimits.cursorCharsMax, description: 'next of the page before.' })),
}

export const orderParameter = { order: words('By time.', ['asc', 'desc'] as const) }

export const objectParameters = {
	cluster: text('Cluster name.'),
	namespace: text('Namespace.'),
	kind: text(
		'Kind or resource, with or without group, or a short name: Deployment, deployments, deployments.apps, Deployment.apps, deploy.',
	),
	name: text('Name of the object, exact.'),
	uid: text('UID of the object.'),
	owner: Type.Optional(Type.Boolean({ description: 'Include what the selected objects own, at any depth.' })),
}

export const textParameters = {
	q: text('Full text: all words must occur; "quoted phrases" in order.'),
	severity: words('Severity.', ['normal', 'warning', 'error'] as const),
}

export const auditParameters = {
	user: text('User name, exact.'),
	verb: text('Verb of the request.'),
	resource: text('Resource of the request, in the forms of kind.'),
	subresource: text('Subresource of the request.'),
	code: Type.Optional(Type.Integer({ minimum: 0, maximum: 999, description: 'HTTP status of the answer.' })),
	decision: text('Decision of the authorizer: allow or forbid.'),
	sourceIP: text('Address the request came from.'),
	userAgent: text('User agent of the client.'),
}

export const logParameters = {
	pod: text('Pod.'),
	container: text('Container.'),
	node: text('Node.'),
	unit: text('Component or systemd unit.'),
	level: words('Level that the line tells of itself.', ['debug', 'info', 'warning', 'error', 'fatal'] as const),
	stream: words('What the container wrote it to.', ['stdout', 'stderr'] as const),
	restart: Type.Optional(Type.Integer({ minimum: 0, maximum: 1e9, description: 'How often the container had been restarted.' })),
}

/** What the words of `include` are in the store; there are no records of alerts in this version. */
const included: Readonly<Record<string, readonly RecordKind[]>> = {
	changes: ['change'],
	events: ['event'],
	audit: ['audit'],
	logs: ['log'],
	alerts: [],
}

export const timelineParameters = {
	...objectParameters,
	...rangeParameters,
	include: Type.Optional(
		Type.String({ default: 'changes,events,audit', maxLength: 200, description: `Comma-separated: ${Object.keys(included).join(', ')}.` }),
	),
	...textParameters,
	...auditParameters,
	...logParameters,
	noise: Type.Optional(Type.Boolean({ description: 'Also Leases that only renewed and the removal of expired Events.' })),
}

/** The union of everything that a filter is made from. */
export type FilterQuery = Partial<Static<ReturnType<typeof allParameters>>>
const allParameters = () => Type.Object(timelineParameters)

export function invalid(parameter: string, message: string): KubetapeError {
	return new KubetapeError('QUERY_INVALID', `${parameter}: ${message}`, { details: { parameter } })
}

/** Kept within what a number holds exactly. */
export function parseWhen(parameter: string, value: string | undefined, clock: Clock): Micros | undefined {
	if (value === undefined) return undefined
	// A plus that was not percent-encoded arrives as a blank.
	const at = parseTimeExpression(value.replace(/ (?=\d{2}:?\d{2}$)/, '+').replace(/^now /, 'now+'), clock.nowMicros())
	if (at === undefined) throw invalid(parameter, `${JSON.stringify(value.slice(0, 60))} is no time: ${timeForms}`)
	return Math.min(Math.max(at, 0), Number.MAX_SAFE_INTEGER)
}

export function parseRange(
	query: { readonly from?: string; readonly to?: string },
	clock: Clock,
): { readonly from?: Micros; readonly to?: Micros } {
	const from = parseWhen('from', query.from, clock)
	const to = parseWhen('to', query.to, clock)
	if (from !== undefined && to !== undefined && from > to) throw invalid('from', 'is later than to')
	return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

/** A revision, RFC 3339 or date math. */
export function parseAt(parameter: string, value: string, space: string | undefined, clock: Clock): At {
	if (/^\d+$/.test(value)) {
		const revision = parseRevision(value)
		if (revision === undefined) throw invalid(parameter, `${value.slice(0, 30)} is no revision`)
		return { revision, ...(space === undefined ? {} : { space }) }
	}
	return { time: parseWhen(parameter, value, clock) ?? 0 }
}

export function parseInclude(value: string | undefined): readonly RecordKind[] {
	const names = (value ?? 'changes,events,audit').split(',').map((name) => name.trim())
	const kinds = names.flatMap((name) => {
		if (Object.hasOwn(included, name)) return included[name] ?? []
		const near = nearest(name.slice(0, 40), Object.keys(included))
		throw invalid(
			'include',
			`${JSON.stringify(name.slice(0, 40))} is unknown${near ? `: did you mean ${near}?` : `; known: ${Object.keys(included).join(', ')}`}`,
		)
	})
	return [...new Set(kinds)]
}

const filterNames = new Set(Object.keys(timelineParameters).filter((name) => !Object.hasOwn(rangeParameters, name)))

/** `kinds` overrides `include`. Parameters of `query` that narrow nothing (limit, cursor, …) are left out. */
export function parseFilter(query: FilterQuery, clock: Clock, kinds?: readonly RecordKind[]): Filter {
	const { include, ...others } = query
	const rest = Object.fromEntries(Object.entries(others).filter(([name]) => filterNames.has(name)))
	const same = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== '')) as Omit<
		Filter,
		'from' | 'to' | 'include'
	>
	return { ...same, ...parseRange(query, clock), include: kinds ?? parseInclude(include) }
}

export interface OpenedPage {
	readonly page: PageRequest
	/** Stands at the time of the first page, so that `now-15m` means the same on all of them. */
	readonly clock: Clock
	/** The store's cursor as the API gives it out. */
	next(cursor: string | null): string | null
}

/** A cursor is `<time of the first page>~<the store's cursor>`. */
export function openPage(
	query: { readonly limit?: number; readonly cursor?: string; readonly order?: 'asc' | 'desc' },
	clock: Clock,
	order?: 'asc' | 'desc',
): OpenedPage {
	const match = query.cursor ? /^(\d{1,16})~(.*)$/s.exec(query.cursor) : undefined
	if (match === null) throw new KubetapeError('CURSOR_INVALID', 'the cursor does not belong to this query')
	const now = match ? Number(match[1]) : clock.nowMicros()
	const chosen = query.order ?? order
	return {
		page: {
			limit: query.limit ?? limits.pageItemsDefault,
			...(match ? { cursor: match[2] ?? '' } : {}),
			...(chosen ? { order: chosen } : {}),
		},
		clock: { nowMicros: () => now, sleep: (ms, signal) => clock.sleep(ms, signal) },
		next: (cursor) => (cursor === null ? null : `${now}~${cursor}`),
	}
}

/** Names of the parameters of a schema. */
export function parameterNames(schema: TSchema | undefined): readonly string[] {
	const object: { readonly properties?: object } | undefined = schema
	return Object.keys(object?.properties ?? {})
}
