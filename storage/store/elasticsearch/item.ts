// Documents as they are found, to items, versions and statements.
import { Body } from '#records/body.ts'
import type { Item, Version } from '#storage/store/port.ts'

type Part = Readonly<Record<string, unknown>>

/** What of a document is read. */
export interface Source {
	readonly kubetape: {
		readonly at: number
		readonly put?: readonly [number, number]
		readonly first?: number
		readonly item: Part
		readonly plain?: { readonly item: Part; readonly body?: string }
		readonly body?: unknown
		readonly statement?: Part
	}
	readonly kubernetes?: { readonly audit?: unknown }
}

export interface Hit {
	readonly _index: string
	readonly _id: string
	readonly _source: Source
	readonly sort: readonly (number | string)[]
	readonly _seq_no?: number
	readonly _primary_term?: number
}

const revisionOf = (text: unknown): bigint | null => (typeof text === 'string' ? BigInt(text) : null)

/** Fields of the source that an item needs. */
export const itemSource = ['kubetape.at', 'kubetape.item', 'kubetape.plain.item']
/** Of a search for items. */
export const itemsOnly = { source: itemSource, withoutBodies: true } as const

type Texts<T> = { readonly [Name in keyof T as T[Name] extends string ? Name : never]?: '' }

/** Texts that a document leaves out where they are empty, so that the query `exists` finds the records that have one. */
export const leftOut: { readonly audit: Texts<NonNullable<Item['audit']>>; readonly log: Texts<NonNullable<Item['log']>> } = {
	audit: { impersonated: '', subresource: '', decision: '', reason: '' },
	log: { namespace: '', pod: '', podUid: '', container: '', component: '', node: '', stream: '', level: '' },
}

export function itemOf({ kubetape }: Source): Item {
	const item: Record<string, unknown> = { ...(kubetape.plain?.item ?? kubetape.item) }
	if (item['revision'] !== undefined) item['revision'] = revisionOf(item['revision'])
	const event = item['event'] as Part | undefined
	if (event) item['event'] = { ...event, regardingRevision: revisionOf(event['regardingRevision']) }
	const audit = item['audit'] as Part | undefined
	if (audit) item['audit'] = { ...leftOut.audit, ...audit, responseRevision: revisionOf(audit['responseRevision']) }
	const log = item['log'] as Part | undefined
	if (log) item['log'] = { ...leftOut.log, ...log }
	return item as unknown as Item
}

/** Null where none is kept. */
export function bodyOf({ kubetape, kubernetes }: Source): Body | null {
	if (kubetape.plain) return kubetape.plain.body === undefined ? null : Body.ofText(kubetape.plain.body)
	const value = kubetape.body ?? kubernetes?.audit
	return value === undefined || value === null ? null : Body.ofValue(value)
}

export const versionOf = (source: Source): Version => ({ ...itemOf(source), body: bodyOf(source) })

const revisionFields = ['revision', 'fromRevision', 'toRevision']

/** A gap, a coverage statement or a reject, as it was put. */
export function statementOf<T>({ kubetape }: Source): T {
	const statement: Record<string, unknown> = { ...kubetape.statement }
	for (const field of revisionFields) if (statement[field] !== undefined) statement[field] = revisionOf(statement[field])
	return statement as T
}
