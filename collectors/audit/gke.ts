// Audit entries as GKE has them in Cloud Logging, mapped back to audit.k8s.io Events as far as it goes. Format: google.cloud.audit.AuditLog in LogEntry.protoPayload, serviceName k8s.io (GKE audit logging guide).

type Fields = Readonly<Record<string, unknown>>

/** Members of an audit.k8s.io Event that a log entry does not have, or that are made of something else. */
export const gkeMissing = [
	'level',
	'stage',
	'requestURI',
	'requestReceivedTimestamp',
	'stageTimestamp',
	'user.uid',
	'user.groups',
	'user.extra',
	'sourceIPs',
	'responseStatus.code',
	'impersonatedUser',
] as const

export const gkeService = 'k8s.io'

/** HTTP statuses of google.rpc codes, as google/rpc/code.proto maps them. */
const statuses: Readonly<Record<number, number>> = {
	0: 200,
	1: 499,
	2: 500,
	3: 400,
	4: 504,
	5: 404,
	6: 409,
	7: 403,
	8: 429,
	9: 400,
	10: 409,
	11: 400,
	12: 501,
	13: 500,
	14: 503,
	15: 500,
	16: 401,
}

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `core/v1/namespaces/shop/pods/web-0/status` → what it names. */
function objectOf(resourceName: string): Fields | undefined {
	const [group = '', apiVersion, ...parts] = resourceName.split('/')
	if (apiVersion === undefined || parts.length === 0) return undefined
	const inNamespace = parts[0] === 'namespaces' && parts.length > 2 && !['status', 'finalize'].includes(parts[2] ?? '')
	const namespace = parts[0] === 'namespaces' ? parts[1] : undefined
	const [resource = '', name, subresource] = inNamespace ? parts.slice(2) : parts
	return {
		resource,
		...(namespace ? { namespace } : {}),
		...(name ? { name } : {}),
		...(group === 'core' ? {} : { apiGroup: group }),
		apiVersion,
		...(subresource ? { subresource } : {}),
	}
}

function pathOf(resourceName: string): string {
	if (resourceName === '') return ''
	return resourceName.startsWith('core/') ? `/api/${resourceName.slice('core/'.length)}` : `/apis/${resourceName}`
}

/** GKE writes the type beside the object. */
function bodyOf(value: unknown): Fields | undefined {
	if (typeof value !== 'object' || value === null) return undefined
	const { '@type': _type, ...object } = value as Fields
	return object
}

/** The Event made of a log entry; undefined where it is none of the API server. All else that the entry holds is kept under `gke`. */
export function eventOfGke(entry: Fields): Fields | undefined {
	const { protoPayload, labels, ...around } = entry
	const { request, response, ...payload } = fields(protoPayload)
	if (payload['serviceName'] !== undefined && payload['serviceName'] !== gkeService) return undefined
	const methodName = text(payload['methodName'])
	if (!methodName.startsWith('io.k8s.') && payload['serviceName'] !== gkeService) return undefined
	const metadata = fields(payload['requestMetadata'])
	const resourceName = text(payload['resourceName'])
	const status = fields(payload['status'])
	const [requestObject, responseObject] = [bodyOf(request), bodyOf(response)]
	const answered = responseObject?.['kind'] === 'Status' ? responseObject : undefined
	const code = Number(answered?.['code'] ?? statuses[Number(status['code'] ?? 0)] ?? 500)
	const objectRef = objectOf(resourceName)
	const callerIp = text(metadata['callerIp'])
	const message = text(status['message'])
	return {
		kind: 'Event',
		apiVersion: 'audit.k8s.io/v1',
		// GKE takes the API server's auditID for the entry's own id, and for that of its operation.
		auditID: text(fields(around['operation'])['id']) || text(around['insertId']),
		stage: 'ResponseComplete',
		requestURI: pathOf(resourceName),
		verb: methodName.slice(methodName.lastIndexOf('.') + 1),
		user: { username: text(fields(payload['authenticationInfo'])['principalEmail']) },
		...(callerIp === '' ? {} : { sourceIPs: [callerIp] }),
		userAgent: text(metadata['callerSuppliedUserAgent']),
		...(objectRef ? { objectRef } : {}),
		responseStatus: { code, ...(message === '' ? {} : { message }) },
		...(requestObject ? { requestObject } : {}),
		...(responseObject ? { responseObject } : {}),
		requestReceivedTimestamp: text(around['timestamp']),
		annotations: fields(labels),
		gke: { ...around, protoPayload: payload },
	}
}
