// What became of the addresses behind a Service, counted: their list order says nothing to people.

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

interface Count {
	readonly ready: number
	readonly notReady: number
}

function count(kind: string, body: Fields): Count {
	let [ready, notReady] = [0, 0]
	if (kind === 'EndpointSlice') {
		for (const endpoint of list(body['endpoints'])) {
			if (fields(fields(endpoint)['conditions'])['ready'] === false) notReady += 1
			else ready += 1
		}
	} else {
		for (const subset of list(body['subsets'])) {
			ready += list(fields(subset)['addresses']).length
			notReady += list(fields(subset)['notReadyAddresses']).length
		}
	}
	return { ready, notReady }
}

const arrow = (name: string, before: number, after: number): string | undefined =>
	before === after ? undefined : `${name} ${before} → ${after}`

/** Undefined for other kinds, and where no count differs. */
export function endpointsPhrase(kind: string, before: Fields, after: Fields): string | undefined {
	if (kind !== 'Endpoints' && kind !== 'EndpointSlice') return undefined
	const [old, now] = [count(kind, before), count(kind, after)]
	const parts = [arrow('ready addresses', old.ready, now.ready), arrow('not ready', old.notReady, now.notReady)].filter(
		(part) => part !== undefined,
	)
	return parts.length === 0 ? undefined : parts.join(', ')
}
