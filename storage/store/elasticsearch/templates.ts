// Component and index templates, made from the fields. A server without the type `flattened` gets them without what needs it.
import { ecsFields, datasets } from './ecs.ts'
import { fieldsOfItem, flattened, long, keyword, object, opaque, workedOut, type Field, type Fields } from './fields.ts'
import { elasticLimits } from './limits.ts'
import { Names, recordClasses, type RecordClass } from './names.ts'

export interface TemplateOptions {
	readonly prefix: string
	readonly shards: number
	readonly replicas: string
	readonly refreshMs: number
	readonly searchBodies: boolean
	/** Whether the server knows the type. */
	readonly flattened: boolean
}

/** A request that makes one of them. */
export interface TemplateRequest {
	readonly path: string
	readonly body: object
}

const registryFields: Fields = {
	type: keyword,
	cluster: keyword,
	space: keyword,
	firstAt: long,
	resource: keyword,
	group: keyword,
	kind: keyword,
	day: keyword,
	state: keyword,
}

/** Of gaps, coverage and rejects: why, where, and at which step. */
const statement = object({ reason: keyword, scope: keyword, step: keyword })

/** Above the server's own templates, which have 100 to 200. */
const priority = 500

const specialOf: Readonly<Record<RecordClass, readonly ('event' | 'audit' | 'log')[]>> = {
	changes: [],
	events: ['event'],
	audit: ['audit'],
	logs: ['log'],
	ledger: [],
}

/** Every `flattened` becomes something that is kept and not searched. */
function without(fields: Fields): Fields {
	return Object.fromEntries(
		Object.entries(fields).map(([name, field]): [string, Field] => {
			if (field.type === 'flattened') return [name, opaque]
			return [name, field.properties ? { ...field, properties: without(field.properties) } : field]
		}),
	)
}

/** An alias may not lead to what is not a field. */
function withoutAlias(fields: Fields, path: string): Fields {
	return Object.fromEntries(
		Object.entries(fields)
			.filter(([, field]) => field.path !== path)
			.map(([name, field]): [string, Field] => [
				name,
				field.properties ? { ...field, properties: withoutAlias(field.properties, path) } : field,
			]),
	)
}

function bodyField({ searchBodies }: TemplateOptions): Field {
	if (!searchBodies) return opaque
	return object({ metadata: object({ annotations: flattened }), spec: flattened, status: flattened })
}

export function mappingOf(of: RecordClass, options: TemplateOptions): Fields {
	const versioned = of === 'changes' || of === 'events'
	const kubetape = {
		...workedOut,
		item: object(fieldsOfItem(...specialOf[of])),
		/** Of a document that Elasticsearch would not take: all of it, kept and not searched. */
		plain: opaque,
		...(of === 'ledger' ? { statement } : of === 'audit' ? {} : { body: versioned ? bodyField(options) : opaque }),
	}
	const fields = { ...ecsFields(of), kubetape: object(kubetape) }
	return options.flattened ? fields : withoutAlias(without(fields), 'kubetape.item.labels')
}

function settingsOf({ shards, replicas, refreshMs }: TemplateOptions): object {
	return {
		index: {
			number_of_shards: shards,
			...(replicas.includes('-') ? { auto_expand_replicas: replicas } : { number_of_replicas: Number(replicas) }),
			// Who writes refreshes: then a put is seen as a whole. This is for the case that nobody writes any more.
			refresh_interval: refreshMs === 0 ? '-1' : elasticLimits.fallbackRefresh,
			codec: 'best_compression',
			'translog.durability': 'request',
			'mapping.total_fields.limit': 2000,
		},
	}
}

const sorted = { 'sort.field': 'kubetape.at', 'sort.order': 'desc' }

export function templateRequests(options: TemplateOptions): readonly TemplateRequest[] {
	const { prefix } = options
	const names = new Names(prefix)
	const component = (name: string, template: object): TemplateRequest => ({
		path: `/_component_template/${prefix}-${name}`,
		body: { template },
	})
	const index = (name: string, pattern: string, parts: readonly string[], template: object = {}): TemplateRequest => ({
		path: `/_index_template/${prefix}-${name}`,
		body: { index_patterns: [pattern], priority, composed_of: parts.map((part) => `${prefix}-${part}`), template },
	})
	const aliases = (of: RecordClass): object => {
		const set = datasets[of]
		return set ? { aliases: { [`${set.type}-${set.dataset}-${prefix}`]: {} } } : {}
	}
	return [
		component('settings', { settings: settingsOf(options) }),
		component('sorted', { settings: { index: sorted } }),
		...recordClasses.map((of) => component(`${of}-mappings`, { mappings: { dynamic: false, properties: mappingOf(of, options) } })),
		component('registry-mappings', {
			mappings: {
				dynamic: false,
				properties: registryFields,
			},
		}),
		...recordClasses.map((of) => index(of, names.every([of]), ['settings', 'sorted', `${of}-mappings`], aliases(of))),
		index('keyframes', names.every(['keyframes']), ['settings', 'changes-mappings']),
		index('registry', names.registry, ['settings', 'registry-mappings'], { settings: { index: { number_of_shards: 1 } } }),
	]
}
