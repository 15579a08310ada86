// What managed clusters wrap audit entries in, taken off: CloudWatch Logs (EKS), Azure Monitor (AKS), Cloud Logging (GKE), and lists of any of them.
import { isUtf8 } from 'node:buffer'
import { gunzipSync } from 'node:zlib'
import { ElementSplitter } from './elements.ts'
import { JsonScan } from './json-scan.ts'

/**
 * `audit`: the API server's own entries, JSON or legacy; `eks`: out of CloudWatch Logs (export to S3, `aws logs filter-log-events`, Logs Insights,
 * subscriptions); `aks`: diagnostic settings, category kube-audit or kube-audit-admin; `gke`: LogEntry with protoPayload; `auto`: each as it comes.
 */
export const auditFormats = ['auto', 'audit', 'eks', 'aks', 'gke'] as const
export type AuditFormat = (typeof auditFormats)[number]

/** `event`: JSON, or a line in the legacy form; `gke`: a LogEntry; `other`: a log of something else, in a known envelope. */
export type Unwrapped =
	| { readonly event: Buffer }
	| { readonly gke: Buffer }
	| { readonly other: string }
	| { readonly bad: string; readonly bytes: Buffer }

type Fields = Readonly<Record<string, unknown>>

/** Longest value in a document, and longest unpacked payload, in bytes. */
const valueBytesMax = 32 * 1024 * 1024
const depthMax = 4
const ownBegin = Buffer.from('{"kind":"Event",')
/** An object of a CloudWatch export to S3: each event is its time, a space, and the message. */
const exportPrefix = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z (?=\{)/
const exportPrefixBytes = 25
/** A row of Logs Insights is a list of fields. */
const insightsBegin = /^\[\s*\{\s*"field"\s*:/
const insightsBeginBytes = 256
/** The first bytes of gzip, in base64. */
const packedBegin = 'H4sI'
const auditStream = /audit/

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isJsonBegin = (byte: number | undefined): boolean => byte === 0x7b || byte === 0x5b

/** One line, or one value of a document. Never throws. */
export function unwrap(bytes: Buffer, format: AuditFormat, depth = 0): readonly Unwrapped[] {
	const trimmed = trim(bytes)
	if (trimmed.subarray(0, ownBegin.length).equals(ownBegin)) return allowed({ event: trimmed }, format, ['audit', 'eks'])
	if (trimmed.length === 0) return []
	if (depth > depthMax) return [{ bad: 'wrapped too often', bytes }]
	if (isJsonBegin(trimmed[0])) return unwrapJson(trimmed, format, depth)
	const text = trimmed.toString('latin1', 0, exportPrefixBytes)
	if (exportPrefix.test(`${text}{`) && trimmed[exportPrefixBytes] === 0x7b)
		return allowed({ event: trimmed.subarray(exportPrefixBytes) }, format, ['eks'])
	if (text.startsWith(packedBegin)) return unwrapPacked(trimmed.toString('latin1'), trimmed, format, depth)
	return allowed({ event: trimmed }, format, ['audit', 'eks'])
}

function trim(bytes: Buffer): Buffer {
	let [from, to] = [0, bytes.length]
	while (from < to && (bytes[from] as number) <= 0x20) from += 1
	while (to > from && (bytes[to - 1] as number) <= 0x20) to -= 1
	return bytes.subarray(from, to)
}

function allowed(found: Unwrapped, format: AuditFormat, formats: readonly AuditFormat[]): readonly Unwrapped[] {
	if (format === 'auto' || formats.includes(format) || 'other' in found || 'bad' in found) return [found]
	return [{ bad: `not of the format ${format}`, bytes: 'event' in found ? found.event : found.gke }]
}

function unwrapPacked(text: string, bytes: Buffer, format: AuditFormat, depth: number): readonly Unwrapped[] {
	let unpacked: Buffer
	try {
		unpacked = gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: valueBytesMax })
	} catch {
		return [{ bad: 'not gzip in base64', bytes }]
	}
	return unwrap(unpacked, format, depth + 1)
}

/** One value; or several without a line end between them, as Firehose writes them; or a list, of which each element is unwrapped. */
function unwrapJson(bytes: Buffer, format: AuditFormat, depth: number): readonly Unwrapped[] {
	if (!isUtf8(bytes)) return [{ bad: 'the line is not UTF-8', bytes }]
	if (insightsBegin.test(bytes.toString('latin1', 0, insightsBeginBytes))) return unwrapValue(bytes, format, depth)
	const splitter = new ElementSplitter({ elementBytesMax: valueBytesMax })
	const elements = [...splitter.push(bytes)]
	const failure = splitter.end()
	const [first] = elements
	if (failure !== undefined && elements.length === 0) return [{ bad: 'the line is not JSON', bytes }]
	if (first && elements.length === 1 && first.bytes.length === bytes.length) return unwrapValue(bytes, format, depth)
	const found = elements.flatMap((element) => unwrap(element.bytes, format, depth + 1))
	return failure === undefined ? found : [...found, { bad: failure, bytes }]
}

function unwrapValue(bytes: Buffer, format: AuditFormat, depth: number): readonly Unwrapped[] {
	if (new JsonScan(bytes).check() !== undefined) return [{ bad: 'the line is not JSON', bytes }]
	const value = JSON.parse(bytes.toString('utf8')) as unknown
	if (Array.isArray(value)) return unwrapInsights(value, bytes, format, depth)
	if (!isObject(value)) return [{ bad: 'no object', bytes }]
	if (isObject(value['protoPayload'])) return allowed(isOfCluster(value) ? { gke: bytes } : { other: 'GKE' }, format, ['gke'])
	const category = value['category'] ?? value['Category']
	if (typeof category === 'string') return unwrapAzure(value, category, bytes, format, depth)
	if (Array.isArray(value['logEvents'])) return unwrapSubscription(value, format, depth)
	const awslogs = value['awslogs']
	if (isObject(awslogs)) return unwrapPacked(String(awslogs['data']), bytes, format, depth)
	if (value['auditID'] === undefined && (value['message'] !== undefined || value['@message'] !== undefined))
		return unwrapMessage(value['message'] ?? value['@message'], value['logStreamName'] ?? value['@logStream'], format, depth)
	return allowed({ event: bytes }, format, ['audit', 'eks'])
}

const isOfCluster = (entry: Fields): boolean => {
	const payload = entry['protoPayload'] as Fields
	return payload['serviceName'] === 'k8s.io' || String(payload['methodName']).startsWith('io.k8s.')
}

/** A row of Logs Insights: `[{"field": "@message", "value": "…"}]`. */
function unwrapInsights(row: readonly unknown[], bytes: Buffer, format: AuditFormat, depth: number): readonly Unwrapped[] {
	const valueOf = (name: string): unknown => row.find((field): field is Fields => isObject(field) && field['field'] === name)?.['value']
	const message = valueOf('@message')
	if (message === undefined) return [{ bad: 'no field @message', bytes }]
	return unwrapMessage(message, valueOf('@logStream'), format, depth)
}

/** CloudWatch's data message, one a subscription sends. */
function unwrapSubscription(value: Fields, format: AuditFormat, depth: number): readonly Unwrapped[] {
	if (value['messageType'] === 'CONTROL_MESSAGE') return [{ other: 'CloudWatch' }]
	return (value['logEvents'] as readonly unknown[]).flatMap((event) =>
		unwrapMessage(isObject(event) ? event['message'] : undefined, value['logStream'], format, depth),
	)
}

/** A group of an EKS cluster has streams of all its components; the audit log's begin with kube-apiserver-audit. */
function unwrapMessage(message: unknown, stream: unknown, format: AuditFormat, depth: number): readonly Unwrapped[] {
	if (typeof stream === 'string' && !auditStream.test(stream)) return [{ other: 'CloudWatch' }]
	const text = typeof message === 'string' ? message : JSON.stringify(message ?? null)
	const bytes = Buffer.from(text)
	if (format === 'auto' || format === 'eks') return unwrap(bytes, 'eks', depth + 1)
	return [{ bad: `not of the format ${format}`, bytes }]
}

function unwrapAzure(value: Fields, category: string, bytes: Buffer, format: AuditFormat, depth: number): readonly Unwrapped[] {
	if (!category.startsWith('kube-audit')) return [{ other: `AKS ${category}` }]
	const given = value['properties']
	const properties = typeof given === 'string' ? parsed(given) : given
	const log = (isObject(properties) ? properties['log'] : undefined) ?? value['log_s']
	if (typeof log !== 'string') return [{ bad: 'properties.log is missing', bytes }]
	if (format !== 'auto' && format !== 'aks') return [{ bad: `not of the format ${format}`, bytes }]
	return unwrap(Buffer.from(log), 'audit', depth + 1)
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined // said by whoever misses what should be in it
	}
}
