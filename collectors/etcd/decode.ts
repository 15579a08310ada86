// What an etcd value says: Kubernetes protobuf and JSON as the API server would serve them, encrypted and unknown values as what they are.
import { isUtf8 } from 'node:buffer'
import { Body } from '#records/body.ts'
import { messageOf } from '#runtime/errors.ts'
import { customResourceDefinitionV1 } from './definition.ts'
import { escapeAsGo, readJson, writeJson } from './exact.ts'
import { createReader } from './reader.ts'
import { inStructOrder } from './struct-order.ts'
import { loadKinds } from './types.ts'

export type Decoded =
	| {
			readonly encoding: 'protobuf' | 'json'
			readonly apiVersion: string
			readonly kind: string
			readonly value: Record<string, unknown>
			/** False where JavaScript puts keys of the value in an order of its own, and its text has to be written with care (exact.ts). */
			readonly inOrder: boolean
	  }
	| { readonly encoding: 'encrypted' | 'raw'; readonly note: string }
	| { readonly reject: string }

const kinds = loadKinds()
const readProtobuf = createReader(kinds.protobuf)
const magic = Buffer.from('k8s\0')
const encrypted = Buffer.from('k8s:enc:')
const cbor = Buffer.from([0xd9, 0xd9, 0xf7])
const openBrace = 0x7b
const numberDigitsMax = 20
const kindShownMax = 100

/** `revision` is put in as metadata.resourceVersion, as the API server does. Never throws. */
export function decodeValue(value: Uint8Array, revision: bigint): Decoded {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
	try {
		if (startsWith(bytes, magic)) return decodeProtobuf(bytes, revision)
		if (startsWith(bytes, encrypted))
			return { encoding: 'encrypted', note: `encrypted at rest: ${bytes.toString('latin1', 8, 40).split(':').slice(0, 2).join(':')}` }
		if (bytes[0] === openBrace) return decodeJson(bytes, revision)
		if (startsWith(bytes, cbor)) return { encoding: 'raw', note: 'CBOR, which is not read' }
		// Numbers are the API server's own (its compaction marker); whatever else is there may be a secret.
		const text = bytes.length <= numberDigitsMax ? bytes.toString('latin1') : ''
		return { encoding: 'raw', note: /^\d+$/.test(text) ? `value: ${text}` : `${bytes.length} bytes of an unknown form` }
	} catch (error) {
		return { reject: messageOf(error) }
	}
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
	return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
}

/** Defaults that the API server fills in when it reads, where the stored object may be without (kubernetes pkg/apis/core/v1/defaults.go). */
const phases: Readonly<Record<string, string>> = {
	'v1/PersistentVolumeClaim': 'Pending',
	'v1/PersistentVolume': 'Pending',
	'v1/Namespace': 'Active',
}

function decodeProtobuf(bytes: Buffer, revision: bigint): Decoded {
	const { apiVersion, kind, value, inOrder } = readProtobuf(bytes, revision.toString())
	if (!value) return { encoding: 'raw', note: `protobuf of an unknown kind: ${shownText(apiVersion)} ${shownText(kind)}` }
	const phase = phases[`${apiVersion}/${kind}`]
	const status = value['status']
	if (phase !== undefined && typeof status === 'object' && status !== null && !('phase' in status)) value['status'] = { phase, ...status }
	if (apiVersion === 'batch/v1' && kind === 'Job') labelJob(value)
	return { encoding: 'protobuf', apiVersion, kind, value, inOrder }
}

const behindLabels: ReadonlySet<string> = new Set(['annotations', 'ownerReferences', 'finalizers', 'managedFields'])
const fieldsOf = (value: unknown): Record<string, unknown> =>
	typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

/**
 * A Job without labels is given those of its template (kubernetes pkg/apis/batch/v1/defaults.go). A new Job is stored without: its template gets
 * its own, which name the Job, when the defaults are set already.
 */
function labelJob(job: Record<string, unknown>): void {
	const labels = fieldsOf(fieldsOf(fieldsOf(job['spec'])['template'])['metadata'])['labels']
	const metadata = fieldsOf(job['metadata'])
	if (labels === undefined || 'labels' in metadata) return
	const entries = Object.entries(metadata)
	const at = entries.findIndex(([name]) => behindLabels.has(name))
	job['metadata'] = Object.fromEntries(entries.toSpliced(at < 0 ? entries.length : at, 0, ['labels', labels]))
}

/** Foreign bytes, in a note. */
export function shownText(text: string): string {
	return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, kindShownMax)
}

function decodeJson(bytes: Buffer, revision: bigint): Decoded {
	if (!isUtf8(bytes)) return { reject: 'the JSON is not UTF-8' }
	const { value: stored, inOrder } = readJson(bytes.toString('utf8')) as { value: Record<string, unknown>; inOrder: boolean }
	const { kind, apiVersion } = stored
	if (typeof kind !== 'string' || typeof apiVersion !== 'string') return { encoding: 'raw', note: 'JSON without kind and apiVersion' }
	const converted =
		kind === 'CustomResourceDefinition' && apiVersion === 'apiextensions.k8s.io/v1beta1' ? customResourceDefinitionV1(stored) : stored
	const served = String(converted['apiVersion'])
	const message = kinds.all.get(`${served}/${kind}`)
	const value = withRevision(converted, revision)
	return {
		encoding: 'json',
		apiVersion: served,
		kind,
		value: message ? (inStructOrder(value, message) as Record<string, unknown>) : value,
		inOrder,
	}
}

/** In the order of the names, which is that of custom resources: their JSON is made of Go maps. */
function withRevision(object: Record<string, unknown>, revision: bigint): Record<string, unknown> {
	const metadata = object['metadata']
	if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return object
	const entries = Object.entries(metadata).filter(([key]) => key !== 'resourceVersion')
	const after = entries.findIndex(([key]) => key > 'resourceVersion')
	entries.splice(after === -1 ? entries.length : after, 0, ['resourceVersion', revision.toString()])
	return { ...object, metadata: Object.fromEntries(entries) }
}

export function bodyOf(decoded: Decoded): Body | null {
	if (!('value' in decoded)) return null
	return Body.ofText(escapeAsGo(decoded.inOrder ? JSON.stringify(decoded.value) : writeJson(decoded.value)), decoded.value)
}
