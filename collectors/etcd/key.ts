// Which object an etcd key is: the API server's storage layout (kubernetes pkg/registry/*/storage), with its exceptions.
import type { Catalog } from '#records/catalog.ts'
import type { ObjectRef } from '#records/object-key.ts'

/** What is no API object: the compaction marker, keys of other programs. Their name is the whole key. */
export const rawResource = 'etcdkeys'

/** Storage folders that are not named like the resource. */
const renamed: Readonly<Record<string, string>> = { minions: 'nodes', controllers: 'replicationcontrollers', ingress: 'ingresses' }
/** Folders of the API server's own that hold one level of names. */
const internal = new Set(['masterleases', 'peerserverleases', 'ranges'])

export interface Stored {
	readonly apiVersion: string
	readonly kind: string
	readonly namespace: string
	readonly name: string
}

/**
 * `key` below `prefix` (`/registry/`). `stored` is what the value says, where it can be read; it decides between a namespace and a name, and gives
 * the group, which keys of built-in resources do not carry.
 */
export function objectOfKey(key: string, prefix: string, catalog: Catalog, stored: Stored | undefined): ObjectRef {
	const raw: ObjectRef = { resource: rawResource, group: '', namespace: '', name: key }
	if (!key.startsWith(prefix)) return raw
	const parts = key.slice(prefix.length).split('/')
	const [first = '', second = ''] = parts
	if (parts.length < 2 || parts.some((part) => part === '')) return raw
	if (internal.has(first)) return { resource: first, group: '', namespace: '', name: parts.slice(1).join('/') }
	if (first === 'services' && parts.length === 4)
		return { resource: second === 'endpoints' ? 'endpoints' : 'services', group: '', namespace: parts[2] ?? '', name: parts[3] ?? '' }
	// Custom resources, their definitions and apiservices carry their group in the key.
	if (first.includes('.') && parts.length >= 3) return named(second, first, parts.slice(2))
	const type = stored === undefined ? undefined : catalog.byKind(stored.apiVersion, stored.kind)
	const resource = renamed[first] ?? first
	return named(resource, type?.resource === resource ? type.group : groupOfResource(resource, catalog), parts.slice(1))
}

function named(resource: string, group: string, rest: readonly string[]): ObjectRef {
	return rest.length === 1
		? { resource, group, namespace: '', name: rest[0] ?? '' }
		: { resource, group, namespace: rest[0] ?? '', name: rest.slice(1).join('/') }
}

/** For a deletion whose value is unknown: the built-in group that has this resource, when there is only one. */
function groupOfResource(resource: string, catalog: Catalog): string {
	return catalog.groupsOf(resource)[0] ?? ''
}
