// The tables that say how each built-in kind is read from protobuf and written as JSON (types.generated.json, made by tools/generate-protobuf.ts).
import { readFileSync } from 'node:fs'

/** s string · b bool · i integer · d double · y bytes · m message · L list wrapped in a message · T Time · U MicroTime · D Duration · Q Quantity · I IntOrString · F FieldsV1 · R RawExtension · J JSON, of kinds that are stored as JSON */
export type FieldKind = 's' | 'b' | 'i' | 'd' | 'y' | 'm' | 'L' | 'T' | 'U' | 'D' | 'Q' | 'I' | 'F' | 'R' | 'J'

export interface Field {
	readonly json: string
	readonly container: 'one' | 'list' | 'map'
	readonly kind: FieldKind
	readonly pointer: boolean
	readonly omitempty: boolean
	readonly omitzero: boolean
	readonly inline: boolean
	readonly message: Message | undefined
}

export interface Message {
	readonly name: string
	/** In the order of the Go struct, which is the order of the JSON. */
	readonly fields: Field[]
	/** Index into fields by protobuf number; undefined for numbers that no field has. */
	readonly byNumber: (number | undefined)[]
	/** Holds TypeMeta that protobuf does not carry: kind and apiVersion are put first. */
	readonly typeMeta?: { readonly kind: string; readonly apiVersion: string }
}

type Row = readonly [number: number, json: string, container: 0 | 1 | 2, kind: FieldKind, flags: number, message?: string]
interface Tables {
	readonly kinds: Readonly<Record<string, string>>
	readonly jsonKinds: Readonly<Record<string, string>>
	readonly messages: Readonly<Record<string, readonly Row[]>>
}

export interface Kinds {
	/** Stored as protobuf, by `<apiVersion>/<kind>`: `apps/v1/Deployment`, `v1/Pod`. */
	readonly protobuf: ReadonlyMap<string, Message>
	/** Those, and the ones that are stored as JSON: for the order of their fields. */
	readonly all: ReadonlyMap<string, Message>
}

const containers = ['one', 'list', 'map'] as const

export function loadKinds(): Kinds {
	const tables = JSON.parse(readFileSync(new URL('./types.generated.json', import.meta.url), 'utf8')) as Tables
	const messages = new Map<string, Message>()
	for (const name of Object.keys(tables.messages)) messages.set(name, { name, fields: [], byNumber: [] })
	for (const [name, rows] of Object.entries(tables.messages)) {
		const message = messages.get(name)
		for (const [number, json, container, kind, flags, of] of rows) {
			if (!message) continue
			message.byNumber[number] = message.fields.length
			message.fields.push({
				json,
				container: containers[container],
				kind,
				pointer: (flags & 1) !== 0,
				omitempty: (flags & 2) !== 0,
				omitzero: (flags & 4) !== 0,
				inline: (flags & 8) !== 0,
				// The items of a wrapped list are named by kind, not by message.
				message: kind === 'm' ? messages.get(of ?? '') : undefined,
			})
		}
	}
	// The API server writes them into claim templates when it converts a StatefulSet (pkg/apis/apps/v1/conversion.go).
	const claim = messages.get('core/v1.PersistentVolumeClaim')
	const templates = messages.get('apps/v1.StatefulSetSpec')?.fields.find((field) => field.json === 'volumeClaimTemplates')
	if (claim && templates) Object.assign(templates, { message: { ...claim, typeMeta: { kind: 'PersistentVolumeClaim', apiVersion: 'v1' } } })
	const protobuf = kindsOf(tables.kinds, messages)
	return { protobuf, all: new Map([...protobuf, ...kindsOf(tables.jsonKinds, messages)]) }
}

function kindsOf(named: Readonly<Record<string, string>>, messages: ReadonlyMap<string, Message>): Map<string, Message> {
	const kinds = new Map<string, Message>()
	for (const [name, messageName] of Object.entries(named)) {
		const message = messages.get(messageName)
		const slash = name.lastIndexOf('/')
		if (message) kinds.set(name, { ...message, typeMeta: { kind: name.slice(slash + 1), apiVersion: name.slice(0, slash) } })
	}
	return kinds
}
