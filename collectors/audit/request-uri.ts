// What a request's path says of its object, as the API server itself reads it: apiserver pkg/endpoints/request/requestinfo.go.

export interface RequestedObject {
	readonly resource: string
	/** Empty for the core group. */
	readonly apiGroup: string
	readonly apiVersion: string
	readonly namespace: string
	/** Empty for a collection, and for a create whose name is in the body. */
	readonly name: string
	readonly subresource: string
}

/** Verbs that stood in the path of old clients. */
const pathVerbs: ReadonlySet<string> = new Set(['proxy', 'watch'])
/** What follows a Namespace's name and is no resource in it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize'])

function decoded(part: string): string {
	try {
		return decodeURIComponent(part)
	} catch {
		return part // as it was sent
	}
}

/** Undefined for a request that is about no resource: discovery, health, metrics. */
export function requestedObject(requestURI: string): RequestedObject | undefined {
	const [path = ''] = requestURI.split('?', 1)
	const parts = path
		.split('/')
		.filter((part) => part !== '')
		.map(decoded)
	const prefix = parts.shift()
	if (prefix !== 'api' && prefix !== 'apis') return undefined
	const apiGroup = prefix === 'api' ? '' : parts.shift()
	const apiVersion = parts.shift()
	if (apiGroup === undefined || apiVersion === undefined) return undefined
	if (pathVerbs.has(parts[0] ?? '')) parts.shift()
	let namespace = ''
	if (parts[0] === 'namespaces' && parts[1] !== undefined) {
		namespace = parts[1]
		if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) parts.splice(0, 2)
	}
	const [resource, name = '', subresource = ''] = parts
	return resource === undefined ? undefined : { resource, apiGroup, apiVersion, namespace, name, subresource }
}
