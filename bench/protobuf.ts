// Protobuf of 50,000 Events to plain objects, and on to JSON text: our reader, which gives what the API server serves (times as text, fields of managers parsed, empty values by Go's rules), against protobufjs' decode and toObject, which gives what is on the wire.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { decodeValue } from '#collectors/etcd/decode.ts'
import { loadKinds, type Message } from '#collectors/etcd/types.ts'

export const name = 'protobuf'

const events = 50_000
const rounds = 5
const scalarTypes: Readonly<Record<string, string>> = { s: 'string', b: 'bool', i: 'int64', d: 'double', y: 'bytes' }
const wrapped: Readonly<Record<string, readonly [number, string, string][]>> = {
	T: [
		[1, 'seconds', 'int64'],
		[2, 'nanos', 'int32'],
	],
	U: [
		[1, 'seconds', 'int64'],
		[2, 'nanos', 'int32'],
	],
	D: [[1, 'duration', 'int64']],
	Q: [[1, 'string', 'string']],
	I: [
		[1, 'type', 'int64'],
		[2, 'intVal', 'int32'],
		[3, 'strVal', 'string'],
	],
	F: [[1, 'Raw', 'bytes']],
	R: [[1, 'raw', 'bytes']],
	L: [[1, 'items', 'string']],
}

/** The same tables as a protobufjs type. */
function peerType(root: protobuf.Root, message: Message): protobuf.Type {
	const typeName = message.name.replaceAll(/\W/g, '_')
	const known = root.get(typeName)
	if (known) return known as protobuf.Type
	const type = new protobuf.Type(typeName)
	root.add(type)
	for (const [number, index] of message.byNumber.entries()) {
		const field = index === undefined ? undefined : message.fields[index]
		if (!field) continue
		const of = field.message ? peerType(root, field.message).name : (scalarTypes[field.kind] ?? peerWrapped(root, field.kind))
		const json = field.json === '' ? `inline${number}` : field.json
		if (field.container === 'map') type.add(new protobuf.MapField(json, number, 'string', of))
		else type.add(new protobuf.Field(json, number, of, field.container === 'list' ? 'repeated' : 'optional'))
	}
	return type
}

function peerWrapped(root: protobuf.Root, kind: string): string {
	const typeName = `Wrapped${kind}`
	if (root.get(typeName)) return typeName
	const type = new protobuf.Type(typeName)
	for (const [number, json, of] of wrapped[kind] ?? []) type.add(new protobuf.Field(json, number, of))
	root.add(type)
	return typeName
}

function recordedEvents(): readonly Buffer[] {
	const lines = gunzipSync(readFileSync(new URL('../demo/etcd.jsonl.gz', import.meta.url)))
		.toString('utf8')
		.split('\n')
	return lines
		.filter((line) => line.includes('"key":"/registry/events/') && line.includes('"type":"PUT"'))
		.map((line) => Buffer.from((JSON.parse(line) as { value: string }).value, 'base64'))
}

function best(work: () => void): number {
	let least = Number.POSITIVE_INFINITY
	for (let round = 0; round < rounds; round += 1) {
		const begun = performance.now()
		work()
		least = Math.min(least, performance.now() - begun)
	}
	return least
}

export function run(print: (line: string) => void): Promise<void> {
	const message = loadKinds().protobuf.get('v1/Event')
	if (!message) throw new Error('the tables hold no v1 Event')
	const root = new protobuf.Root()
	const peer = peerType(root, message)
	const unknown = new protobuf.Type('Unknown').add(new protobuf.Field('raw', 2, 'bytes'))
	root.add(unknown)
	root.resolveAll()
	const values = recordedEvents()
	const at = (index: number): Buffer => values[index % values.length] ?? Buffer.alloc(0)
	const read = (index: number): unknown => {
		const decoded = decodeValue(at(index), BigInt(index))
		return 'value' in decoded ? decoded.value : decoded
	}
	const readPeer = (index: number, options: protobuf.IConversionOptions = {}): unknown => {
		const { raw } = unknown.decode(at(index).subarray(4)) as unknown as { raw: Uint8Array }
		return peer.toObject(peer.decode(raw), { longs: String, defaults: false, ...options })
	}
	const rate = (ms: number): string => `${Math.round(events / (ms / 1000))}/s`
	const compare = (what: string, ours: (index: number) => unknown, theirs: (index: number) => unknown): void => {
		const [mine, other] = [ours, theirs].map((one) =>
			best(() => {
				for (let index = 0; index < events; index += 1) one(index)
			}),
		) as [number, number]
		print(
			`protobuf to ${what} of ${events} Events (${values.length} different): ours ${rate(mine)}, protobufjs toObject ${rate(other)}, ratio ${(other / mine).toFixed(2)}`,
		)
	}
	compare('plain objects', read, (index) => readPeer(index))
	compare(
		'JSON text',
		(index) => JSON.stringify(read(index)),
		(index) => JSON.stringify(readPeer(index, { bytes: String })),
	)
	return Promise.resolve()
}
