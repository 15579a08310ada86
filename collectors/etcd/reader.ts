// Reads a protobuf value, envelope and object, by the tables of types.ts straight into the value that the API server would serve.
import { readerOf } from './compile.ts'
import type { Message } from './types.ts'
import { Wire } from './wire.ts'

export interface ReadObject {
	readonly apiVersion: string
	readonly kind: string
	/** Undefined where the kind is not known. */
	readonly value: Record<string, unknown> | undefined
	/** False where JavaScript puts keys of the value in an order of its own. */
	readonly inOrder: boolean
}

interface Type {
	readonly apiVersion: string
	readonly kind: string
	readonly message: Message | undefined
}

const magicBytes = 4
const typesMax = 1000

/** `kinds`: by `<apiVersion>/<kind>`. */
export function createReader(kinds: ReadonlyMap<string, Message>): (bytes: Buffer, revision: string) => ReadObject {
	/** By the bytes of their TypeMeta, which are the same for each object of a kind. */
	const types = new Map<string, Type>()
	const typeOf = (wire: Wire, start: number, end: number): Type => {
		const bytes = wire.text(start, end)
		const known = types.get(bytes)
		if (known) return known
		const texts = ['', '', '']
		wire.delimited(start, end, (number, from, to) => {
			if (number === 1 || number === 2) texts[number] = wire.text(from, to)
		})
		const [, apiVersion = '', kind = ''] = texts
		const type = { apiVersion, kind, message: kinds.get(`${apiVersion}/${kind}`) }
		if (type.message && types.size < typesMax) types.set(bytes, type)
		return type
	}

	/**
	 * `bytes`: `k8s\\0`, then runtime.Unknown (apimachinery pkg/runtime/generated.proto): typeMeta=1 {apiVersion=1, kind=2}, raw=2, contentEncoding=3,
	 * contentType=4. `revision` becomes metadata.resourceVersion, which is not stored. Throws RangeError on bytes that are no such value.
	 */
	return (bytes, revision) => {
		const wire = new Wire(bytes, revision)
		let type: Type | undefined
		let start = 0
		let end = 0
		wire.delimited(magicBytes, bytes.length, (number, from, to) => {
			if (number === 1) type = typeOf(wire, from, to)
			else if (number === 2) {
				start = from
				end = to
			}
		})
		if (!type?.message) return { apiVersion: type?.apiVersion ?? '', kind: type?.kind ?? '', value: undefined, inOrder: true }
		const value = readerOf(type.message)(wire, start, end, 0)
		return { apiVersion: type.apiVersion, kind: type.kind, value, inOrder: wire.inOrder }
	}
}
