// Which object a command line names: `deployment/checkout`, `deployments.apps/checkout`, `pod checkout-abc`, with -n for the namespace.
import { KubetapeError } from '#runtime/errors.ts'

export interface ObjectArgument {
	/** Kind or resource, as given: the server knows what it means. */
	readonly resource: string
	readonly name: string
}

/** One word with a slash, or two words. Throws CLI_USAGE. */
export function parseObjectArgument(words: readonly string[]): ObjectArgument {
	const [first = '', second] = words
	const slash = first.indexOf('/')
	const resource = second === undefined ? first.slice(0, Math.max(slash, 0)) : first
	const name = second === undefined ? first.slice(slash + 1) : second
	if (words.length > 2 || resource === '' || name === '' || (second !== undefined && slash >= 0)) {
		throw new KubetapeError(
			'CLI_USAGE',
			`${JSON.stringify(words.join(' '))} names no object: write deployment/checkout, deployments.apps/checkout or pod checkout-abc`,
		)
	}
	return { resource, name }
}

/** The path of its history in the API. */
export function historyPath(cluster: string, object: ObjectArgument, namespace: string): string {
	return `/api/v1/history/${[cluster, object.resource, namespace === '' ? '-' : namespace, object.name].map(encodeURIComponent).join('/')}`
}
