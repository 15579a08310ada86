// The resource catalog: kind ↔ resource of all built-in kinds, and of the custom ones as their definitions are seen.
import { builtIn } from './catalog-built-in.ts'

export interface ResourceType {
	readonly group: string
	/** The version objects are stored in. */
	readonly version: string
	readonly kind: string
	/** Plural. */
	readonly resource: string
	readonly namespaced: boolean
}

export interface Catalog {
	byKind(apiVersion: string, kind: string): ResourceType | undefined
	byResource(group: string, resource: string): ResourceType | undefined
	/** Groups that have a resource of this plural name, the core group first. */
	groupsOf(resource: string): readonly string[]
	/** Takes in what a CustomResourceDefinition (v1 or v1beta1 JSON) declares, or takes it out again. */
	learn(definition: Readonly<Record<string, unknown>>): void
	forget(definition: Readonly<Record<string, unknown>>): void
}

/** Group of an apiVersion: `apps/v1` → `apps`, `v1` → ``. */
export function groupOf(apiVersion: string): string {
	const slash = apiVersion.indexOf('/')
	return slash < 0 ? '' : apiVersion.slice(0, slash)
}

const builtInKinds = new Set(builtIn.map((type) => `${type.group}/${type.kind}`))
const builtInResources = new Set(builtIn.map((type) => `${type.group}/${type.resource}`))

/** What a CustomResourceDefinition (v1 or v1beta1 JSON) declares; undefined where that is not told. */
export function definedBy(definition: Readonly<Record<string, unknown>>): ResourceType | undefined {
	const spec = definition['spec'] as Record<string, unknown> | undefined
	const names = spec?.['names'] as Record<string, unknown> | undefined
	const versions = spec?.['versions'] as readonly Record<string, unknown>[] | undefined
	if (typeof spec?.['group'] !== 'string' || typeof names?.['kind'] !== 'string' || typeof names['plural'] !== 'string') return undefined
	const stored = Array.isArray(versions) ? versions.find((version) => version['storage'] === true) : undefined
	const version = typeof stored?.['name'] === 'string' ? stored['name'] : typeof spec['version'] === 'string' ? spec['version'] : 'v1'
	return { group: spec['group'], version, kind: names['kind'], resource: names['plural'], namespaced: spec['scope'] !== 'Cluster' }
}

export function createCatalog(): Catalog {
	const kinds = new Map<string, ResourceType>()
	const resources = new Map<string, ResourceType>()
	const add = (type: ResourceType): void => {
		kinds.set(`${type.group}/${type.kind}`, type)
		resources.set(`${type.group}/${type.resource}`, type)
	}
	for (const type of builtIn) add(type)
	return {
		byKind: (apiVersion, kind) => kinds.get(`${groupOf(apiVersion)}/${kind}`),
		byResource: (group, resource) => resources.get(`${group}/${resource}`),
		groupsOf: (resource) =>
			[...resources.values()]
				.filter((type) => type.resource === resource)
				.map((type) => type.group)
				.toSorted(),
		learn(definition) {
			const type = definedBy(definition)
			if (type && !builtInKinds.has(`${type.group}/${type.kind}`) && !builtInResources.has(`${type.group}/${type.resource}`)) add(type)
		},
		forget(definition) {
			const type = definedBy(definition)
			// A definition that names a built-in kind did not make it, and cannot take it away.
			if (!type || builtInKinds.has(`${type.group}/${type.kind}`) || builtInResources.has(`${type.group}/${type.resource}`)) return
			kinds.delete(`${type.group}/${type.kind}`)
			resources.delete(`${type.group}/${type.resource}`)
		},
	}
}
