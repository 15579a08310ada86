// The answers of the API as TypeBox schemas: they serialise every answer and make the documentation. Their types are wire.ts.
import { Type, type TSchema } from 'typebox'

const text = (description?: string): TSchema => Type.String(description ? { description } : {})
const time = (description: string): TSchema => Type.String({ description: `${description} RFC 3339 in UTC.` })
const revision = (): TSchema => Type.String({ description: 'A revision, as a decimal string.' })
const words = <T extends string>(...values: readonly T[]): TSchema => Type.Unsafe<T>({ type: 'string', enum: values })
const orNull = (description?: string): TSchema =>
	Type.Unsafe<string | null>({ type: ['string', 'null'], ...(description ? { description } : {}) })
const texts = (): TSchema => Type.Array(Type.String())
/** Any JSON object, in whatever keys. */
const map = (values: TSchema | true): TSchema => Type.Unsafe({ type: 'object', additionalProperties: values })
const optional = (schema: TSchema): TSchema => Type.Optional(schema)
const object = (properties: Record<string, TSchema>, description?: string): TSchema =>
	Type.Object(properties, description ? { description } : {})
const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()])

export const kindSchema = words('change', 'event', 'audit', 'log', 'gap', 'coverage', 'reject')
const counts = map(Type.Integer())
const facet = words('spec', 'status', 'metadata', 'data')

export const errorSchema = object({
	error: object({ code: text('One of docs/reference/errors.md.'), message: text(), details: optional(map(true)) }),
})

export const objectSchema = object({
	resource: text('Plural.'),
	group: text(),
	namespace: text(),
	name: text(),
	key: text('deployments.apps/shop/checkout; cluster-scoped: nodes/-/node-a.'),
})

const eventSchema = object({
	object: objectSchema,
	reason: text(),
	message: text(),
	type: text(),
	count: Type.Integer(),
	reporter: text(),
	regardingRevision: orNull(),
	firstTime: time('First seen.'),
	lastTime: time('Last seen.'),
})

const auditSchema = object({
	auditID: text(),
	stage: text(),
	level: text(),
	verb: text(),
	user: text(),
	groups: texts(),
	impersonated: text(),
	sourceIPs: texts(),
	userAgent: text(),
	subresource: text(),
	code: Type.Integer(),
	decision: text(),
	reason: text(),
	requestURI: text(),
	requestReceived: time('When the request came in.'),
	dryRun: Type.Boolean(),
	responseRevision: orNull(),
	truncated: Type.Boolean({ description: 'The bodies of the request and its answer were taken out because the entry was too large.' }),
	missing: Type.Optional(
		Type.Array(text(), {
			description:
				'Members of the entry that its source does not have, or has in part only (the legacy form, GKE); absent where it is whole.',
		}),
	),
})

const logSchema = object({
	namespace: text(),
	pod: text(),
	podUid: text(),
	container: text(),
	restart: Type.Integer(),
	component: text(),
	node: text(),
	stream: text(),
	level: text(),
	file: text(),
	offset: Type.Integer(),
	follows: optional(text('The file in which the same log was written before.')),
	journal: optional(
		object(
			{
				pid: nullable(Type.Integer()),
				priority: nullable(Type.Integer({ description: 'syslog’s, 0 (emergency) to 7 (debug).' })),
				bootId: text(),
				hostname: text(),
				identifier: text('What the process calls itself.'),
			},
			'Of a line that comes from journald.',
		),
	),
	flags: texts(),
	textChars: optional(
		Type.Integer({
			description: 'Characters of the text, where the summary is only its beginning: /api/v1/logs/{cluster}/{id} has it whole.',
		}),
	),
	raw: optional(text('Bytes of a line that is no UTF-8, in base64.')),
	originalBytes: optional(Type.Integer({ description: 'Of a line that was cut off: its bytes before.' })),
})

const itemProperties: Record<string, TSchema> = {
	id: text('Deterministic: the same thing has the same id.'),
	kind: kindSchema,
	cluster: text(),
	source: text(),
	time: time('When it happened.'),
	timeBoundSeconds: Type.Number({ description: 'The time is right within this many seconds to either side.' }),
	observed: time('When the collector saw it.'),
	summary: text('One sentence for people.'),
	severity: words('normal', 'warning', 'error'),
	object: optional(objectSchema),
	objectKind: optional(text()),
	uid: optional(text()),
	space: optional(text('Revision space.')),
	revision: optional(revision()),
	operation: optional(words('created', 'updated', 'deleted')),
	sighting: optional(words('watch', 'snapshot', 'gap')),
	encoding: optional(text()),
	note: optional(text()),
	folded: optional(object({ renewTime: text() })),
	facets: optional(Type.Array(facet)),
	paths: optional(texts()),
	labels: optional(map(Type.String())),
	owners: optional(Type.Array(object({ apiVersion: text(), kind: text(), name: text(), uid: text() }))),
	images: optional(texts()),
	event: optional(eventSchema),
	audit: optional(auditSchema),
	log: optional(logSchema),
	stages: optional(
		Type.Array(object({ id: text(), stage: text(), time: time('When it was reached.'), code: Type.Integer() }), {
			description: 'Of an audit entry that stands for its request: every stage, oldest first.',
		}),
	),
}
export const itemSchema = object(itemProperties)

export const lineSchema = object({
	item: itemSchema,
	text: text('The whole line; bytes that are no UTF-8 are U+FFFD in it.'),
	raw: orNull('Its bytes in base64, where it is no UTF-8.'),
})

export const actorSchema = object({
	tier: words('exact', 'unresolved'),
	user: text(),
	impersonated: text(),
	verb: text(),
	subresource: text(),
	userAgent: text(),
	sourceIP: text(),
	auditID: text(),
})
export const versionSchema = object({ ...itemProperties, actor: nullable(actorSchema) })

export function pageOf(item: TSchema, extra: Record<string, TSchema> = {}): TSchema {
	return object({ items: Type.Array(item), next: orNull('Cursor of the next page; null at the end.'), ...extra })
}

export const diffSchema = object({
	cluster: text(),
	object: objectSchema,
	from: orNull('Revision.'),
	to: orNull('Revision.'),
	summary: text(),
	facets: Type.Array(facet),
	changes: Type.Array(
		object({
			path: text(),
			facet,
			op: words('added', 'removed', 'changed'),
			before: optional(Type.Unknown()),
			after: optional(Type.Unknown()),
		}),
	),
	actor: optional(nullable(actorSchema)),
})

export const stateSchema = object({ item: itemSchema, body: nullable(map(true)) })
export const statePageSchema = pageOf(stateSchema, { revision: orNull('The revision this is the state of.') })

export const bucketSchema = object({ from: time('Begin.'), to: time('End.'), counts, warnings: Type.Integer() })
export const topSchema = object({ value: text(), count: Type.Integer() })

export const clusterSchema = object({
	name: text(),
	firstTime: time('Of the first record.'),
	lastTime: time('Of the last record.'),
	counts,
	spaces: Type.Array(object({ space: text(), firstRevision: revision(), lastRevision: revision() })),
	replay: Type.Boolean(),
})

export const coverageSchema = object({
	cluster: text(),
	ranges: Type.Array(object({ space: text(), scope: text(), from: revision(), to: revision(), versions: Type.Integer(), chain: text() })),
	audit: Type.Array(
		object({
			way: text('webhook or file.'),
			fromTime: time('Compared from.'),
			toTime: time('Compared until.'),
			sent: Type.Integer({ description: 'Entries that the API servers counted, each stage of a request one.' }),
			received: Type.Integer({ description: 'Of these, so many came by this way.' }),
		}),
		{ description: 'Times of which it is known how many audit entries were sent and came. Of others it is not known.' },
	),
	gaps: Type.Array(
		object({
			space: text(),
			scope: text(),
			reason: text(),
			from: orNull(),
			to: orNull(),
			fromTime: orNull(),
			toTime: orNull(),
			touched: texts(),
			touchedCount: Type.Integer(),
			detail: text(),
			observed: time('When it was noticed.'),
		}),
	),
	rejects: Type.Integer(),
})

export const rejectSchema = object({
	id: text(),
	cluster: text(),
	source: text(),
	time: time('When it happened.'),
	observed: time('When it was refused.'),
	step: text(),
	reason: text(),
	where: text(),
	sha256: text(),
	sizeBytes: Type.Integer(),
})

export const healthSchema = object({ ok: Type.Boolean(), parts: map(object({ ok: Type.Boolean(), message: text() })) })
