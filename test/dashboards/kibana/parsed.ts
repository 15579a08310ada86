// Kibana's saved objects as the committed file has them, for tests: the JSON inside their JSON opened.
import { readFileSync } from 'node:fs'

export interface ParsedObject {
	readonly type: string
	readonly id: string
	readonly attributes: Readonly<Record<string, unknown>>
	readonly references: readonly { readonly name: string; readonly type: string; readonly id: string }[]
	readonly coreMigrationVersion: string
	readonly typeMigrationVersion: string
}

export interface ParsedPanel {
	readonly type: string
	readonly panelIndex: string
	readonly gridData: { readonly x: number; readonly y: number; readonly w: number; readonly h: number; readonly i: string }
	readonly panelRefName?: string
	readonly embeddableConfig: { readonly attributes?: LensAttributes }
}

export interface LensColumn {
	readonly operationType: string
	readonly sourceField?: string
	readonly dataType: string
	readonly isBucketed: boolean
	readonly filter?: { readonly query: string }
	readonly params?: {
		readonly orderBy?: { readonly columnId: string }
		readonly filters?: readonly { readonly input: { readonly query: string } }[]
	}
}

export interface LensAttributes {
	readonly visualizationType: string
	readonly references: ParsedObject['references']
	readonly state: {
		readonly visualization: unknown
		readonly query: { readonly query: string; readonly language: string }
		readonly datasourceStates: {
			readonly formBased: {
				readonly layers: Readonly<
					Record<string, { readonly columnOrder: readonly string[]; readonly columns: Readonly<Record<string, LensColumn>> }>
				>
			}
		}
	}
}

const text = readFileSync('dashboards/kibana/kubetape.ndjson', 'utf8')
export const fileLines: readonly unknown[] = text
	.trimEnd()
	.split('\n')
	.map((line) => JSON.parse(line) as unknown)
export const objects = fileLines.slice(0, -1) as readonly ParsedObject[]

const attribute = (object: ParsedObject, name: string): string => {
	const value = object.attributes[name]
	if (typeof value !== 'string') throw new Error(`${object.type} ${object.id} has no ${name}`)
	return value
}

export const ofType = (type: string): readonly ParsedObject[] => objects.filter((object) => object.type === type)
export const panelsOf = (dashboard: ParsedObject): readonly ParsedPanel[] =>
	JSON.parse(attribute(dashboard, 'panelsJSON')) as readonly ParsedPanel[]

export interface ParsedControl {
	readonly type: string
	readonly order: number
	readonly explicitInput: { readonly id: string; readonly fieldName: string }
}

export function controlsOf(dashboard: ParsedObject): Readonly<Record<string, ParsedControl>> {
	const group = dashboard.attributes['controlGroupInput'] as { readonly panelsJSON: string }
	return JSON.parse(group.panelsJSON) as Readonly<Record<string, ParsedControl>>
}

export function searchSourceOf(object: ParsedObject): { readonly query: { readonly query: string }; readonly indexRefName?: string } {
	const meta = object.attributes['kibanaSavedObjectMeta'] as { readonly searchSourceJSON: string }
	return JSON.parse(meta.searchSourceJSON) as ReturnType<typeof searchSourceOf>
}

/** The specification inside a Vega visualization. */
export function specificationOf(object: ParsedObject): Readonly<Record<string, unknown>> {
	const state = JSON.parse(attribute(object, 'visState')) as { readonly type: string; readonly params: { readonly spec: string } }
	if (state.type !== 'vega') throw new Error(`${object.id} is not drawn with Vega`)
	return JSON.parse(state.params.spec) as Readonly<Record<string, unknown>>
}
