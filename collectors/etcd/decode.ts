// What an etcd value says: Kubernetes protobuf and JSON as the API server would serve them, encrypted and unknown values as what they are.
import { Body } from '#records/body.ts'
import type { Encoding } from '#records/record.ts'
import { messageOf } from '#runtime/errors.ts'
import { customResourceDefinitionV1 } from './definition.ts'
import { readMessage } from './reader.ts'
import { loadMessages } from './types.ts'

export type Decoded =
	| { readonly encoding: 'protobuf' | 'json'; readonly apiVersion: string; readonly kind: string; readonly value: Record<string, unknown> }
	| { readonly encoding: 'encrypted' | 'raw'; readonly note: string }
	| { readonly reject: string }

const messages = loadMessages()
const magic = Buffer.from('k8s\0')
const encrypted = Buffer.from('k8s:enc:')
const cbor = Buffer.from([0xd9, 0xd9, 0xf7])
const openBrace = 0x7b
/** Values of keys outside of what the API server keeps are shown up to here. */
const rawShownMax = 200

/** `revision` is put in as metadata.resourceVersion, as the API server does. Never throws. */
export function decodeValue(value: Uint8Array, revision: bigint): Decoded {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
	try {
		if (startsWith(bytes, magic)) return decodeProtobuf(bytes.subarray(magic.length), revision)
		if (startsWith(bytes, encrypted))
			return { encoding: 'encrypted', note: `encrypted at rest: ${bytes.toString('latin1', 8, 40).split(':').slice(0, 2).join(':')}` }
		if (bytes[0] === openBrace) return decodeJson(bytes, revision)
		if (startsWith(bytes, cbor)) return { encoding: 'raw', note: 'CBOR, which is not read' }
		const text = bytes.length <= rawShownMax ? bytes.toString('utf8') : ''
		return {
			encoding: 'raw',
			note: /^[\x20-\x7e]*$/.test(text) && text !== '' ? `value: ${text}` : `${bytes.length} bytes of an unknown form`,
		}
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

/** runtime.Unknown (apimachinery pkg/runtime/generated.proto): typeMeta=1 {apiVersion=1, kind=2}, raw=2, contentEncoding=3, contentType=4. */
function decodeProtobuf(bytes: Buffer, revision: bigint): Decoded {
	const unknown = fieldsOf(bytes)
	const typeMeta = fieldsOf(unknown[1] ?? Buffer.alloc(0))
	const apiVersion = typeMeta[1]?.toString('utf8') ?? ''
	const kind = typeMeta[2]?.toString('utf8') ?? ''
	const message = messages.get(`${apiVersion}/${kind}`)
	if (!message) return { encoding: 'raw', note: `protobuf of an unknown kind: ${apiVersion} ${kind}` }
	const object = readMessage(unknown[2] ?? Buffer.alloc(0), message, revision.toString())
	const phase = phases[`${apiVersion}/${kind}`]
	const status = object['status']
	if (phase !== undefined && typeof status === 'object' && status !== null && !('phase' in status)) object['status'] = { phase, ...status }
	return { encoding: 'protobuf', apiVersion, kind, value: { kind, apiVersion, ...object } }
}

/** The length-delimited fields of a small message. */
function fieldsOf(bytes: Buffer): Buffer[] {
	const fields: Buffer[] = []
	let at = 0
	const varint = (): number => {
		let value = 0
		for (let shift = 0; shift < 35; shift += 7) {
			const byte = bytes[at++]
			if (byte === undefined) break
			value += (byte & 127) * 2 ** shift
			if (byte < 128) return value
		}
		throw new RangeError('the envelope is cut off or garbled')
	}
	while (at < bytes.length) {
		const tag = varint()
		if ((tag & 7) !== 2) throw new RangeError('the envelope is cut off or garbled')
		const length = varint()
		if (length > bytes.length - at) throw new RangeError('the envelope is cut off or garbled')
		fields[tag >>> 3] = bytes.subarray(at, at + length)
		at += length
	}
	return fields
}

function decodeJson(bytes: Buffer, revision: bigint): Decoded {
	const stored = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
	const { kind, apiVersion } = stored
	if (typeof kind !== 'string' || typeof apiVersion !== 'string') return { encoding: 'raw', note: 'JSON without kind and apiVersion' }
	const value =
		kind === 'CustomResourceDefinition' && apiVersion === 'apiextensions.k8s.io/v1beta1' ? customResourceDefinitionV1(stored) : stored
	return { encoding: 'json', apiVersion: String(value['apiVersion']), kind, value: served(value, revision) }
}

function served(object: Record<string, unknown>, revision: bigint): Record<string, unknown> {
	const metadata = object['metadata']
	if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return object
	return { ...object, metadata: { ...metadata, resourceVersion: revision.toString() } }
}

export function bodyOf(decoded: Decoded): Body | null {
	return 'value' in decoded ? Body.ofValue(decoded.value) : null
}

export function encodingOf(decoded: Decoded): Encoding {
	return 'encoding' in decoded ? decoded.encoding : 'raw'
}
