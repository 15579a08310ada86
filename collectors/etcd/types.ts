// The tables that say how each built-in kind is read from protobuf and written as JSON (types.generated.json, made by tools/generate-protobuf.ts).
import { readFileSync } from 'node:fs'

/** s string · b bool · i integer · d double · y bytes · m message · L list wrapped in a message · T Time · U MicroTime · D Duration · Q Quantity · I IntOrString · F FieldsV1 · R RawExtension */
export type FieldKind = 's' | 'b' | 'i' | 'd' | 'y' | 'm' | 'L' | 'T' | 'U' | 'D' | 'Q' | 'I' | 'F' | 'R'

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
	readonly messages: Readonly<Record<string, readonly Row[]>>
}

const containers = ['one', 'list', 'map'] as const

/** Message types by `<apiVersion>/<kind>`: `apps/v1/Deployment`, `v1/Pod`. */
export function loadMessages(): ReadonlyMap<string, Message> {
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
	const kinds = new Map<string, Message>()
	for (const [kind, name] of Object.entries(tables.kinds)) {
		const message = messages.get(name)
		if (message) kinds.set(kind, message)
	}
	return kinds
}
