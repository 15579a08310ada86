// Which object of a cluster: `<resource>[.<group>]/<namespace or ->/<name>`. It orders and partitions all records of one object.

export interface ObjectRef {
	/** Plural, lower case, as in the API path: `deployments`. */
	readonly resource: string
	/** API group; empty for the core group. */
	readonly group: string
	/** Empty for cluster-scoped objects. */
	readonly namespace: string
	readonly name: string
}

/** `deployments.apps`, or `pods` for the core group. */
export function resourceName(ref: Pick<ObjectRef, 'resource' | 'group'>): string {
	return ref.group === '' ? ref.resource : `${ref.resource}.${ref.group}`
}

export function objectKey(ref: ObjectRef): string {
	return `${resourceName(ref)}/${ref.namespace === '' ? '-' : ref.namespace}/${ref.name}`
}

/** Undefined where the text is no object key. A name may contain slashes (raw etcd keys do); resource and namespace cannot. */
export function parseObjectKey(key: string): ObjectRef | undefined {
	const first = key.indexOf('/')
	const second = key.indexOf('/', first + 1)
	if (first <= 0 || second < 0 || second === key.length - 1) return undefined
	const full = key.slice(0, first)
	const dot = full.indexOf('.')
	const namespace = key.slice(first + 1, second)
	return {
		resource: dot < 0 ? full : full.slice(0, dot),
		group: dot < 0 ? '' : full.slice(dot + 1),
		namespace: namespace === '-' ? '' : namespace,
		name: key.slice(second + 1),
	}
}
