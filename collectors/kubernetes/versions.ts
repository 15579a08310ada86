// From an object as the API server shows it to the record of its version, with the object before it.
import type { Owners } from '#collectors/owners.ts'
import { Body } from '#records/body.ts'
import type { Catalog } from '#records/catalog.ts'
import { foldLease } from '#records/lease.ts'
import { objectKey, type ObjectRef } from '#records/object-key.ts'
import type { Operation, Sighting, VersionRecord } from '#records/record.ts'
import { parseRevision, type Revision } from '#records/revision.ts'
import type { Micros } from '#records/time.ts'
import { makeVersion } from '#records/version.ts'
import type { ServedResource } from './discovery.ts'
import { WrittenClock, writtenTime } from './written-time.ts'

export const source = 'kubernetes'

export interface SeenObject {
	readonly key: string
	readonly ref: ObjectRef
	readonly revision: Revision
	readonly uid: string
	readonly body: Body
}

export interface Sight {
	readonly served: ServedResource
	readonly space: string
	readonly seen: SeenObject
	readonly operation: Operation
	readonly sighting: Sighting
	readonly before: { readonly revision: Revision; readonly body: Body } | undefined
	readonly observedAt: Micros
	readonly note?: string
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
export const secretNote = 'metadata only: the values of Secrets are not read'

export const isSecret = (served: Pick<ServedResource, 'name'>): boolean => served.name === 'secrets'
export const apiVersionOf = (served: Pick<ServedResource, 'group' | 'version'>): string =>
	served.group === '' ? served.version : `${served.group}/${served.version}`

/** A text says what is missing. */
export function readObject(served: ServedResource, given: Body): SeenObject | string {
	const metadata = fields(given.object['metadata'])
	const name = text(metadata['name'])
	const revision = parseRevision(metadata['resourceVersion'])
	if (name === '') return 'the object has no name'
	if (revision === undefined || revision === 0n) return 'the object has no resourceVersion that is a revision'
	const ref = { resource: served.resource, group: served.group, namespace: text(metadata['namespace']), name }
	return { key: objectKey(ref), ref, revision, uid: text(metadata['uid']), body: isSecret(served) ? secretBody(metadata) : given }
}

/** Also the copy of the values in an annotation is left out. */
function secretBody(metadata: Fields): Body {
	const annotations = fields(metadata['annotations'])
	if (!(lastApplied in annotations)) return Body.ofValue({ kind: 'Secret', apiVersion: 'v1', metadata })
	const kept = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastApplied))
	return Body.ofValue({ kind: 'Secret', apiVersion: 'v1', metadata: { ...metadata, annotations: kept } })
}

/** Items of a list of built-in kinds come without kind and apiVersion: they are put where a single GET has them. */
export function itemBody(served: ServedResource, item: Buffer): Body {
	const json = item.toString('utf8')
	const body = Body.ofText(json)
	if (isSecret(served) || (body.object['kind'] !== undefined && body.object['apiVersion'] !== undefined)) return body
	const rest = json.slice(json.indexOf('{') + 1)
	const comma = rest.trimStart().startsWith('}') ? '' : ','
	return Body.ofText(`{"kind":${JSON.stringify(served.kind)},"apiVersion":${JSON.stringify(apiVersionOf(served))}${comma}${rest}`)
}

export class Versions {
	readonly #cluster: string
	readonly #catalog: Catalog
	readonly #owners: Owners
	readonly #clock = new WrittenClock()

	constructor(cluster: string, catalog: Catalog, owners: Owners) {
		this.#cluster = cluster
		this.#catalog = catalog
		this.#owners = owners
	}

	toRecord(sight: Sight): VersionRecord {
		const { served, space, seen, operation, sighting, observedAt } = sight
		const gone = operation === 'deleted'
		const object = seen.body.object
		// The object that a deletion shows is the one before it.
		const before = sight.before ?? (gone ? { revision: null, body: seen.body } : undefined)
		const folded =
			served.name === 'leases.coordination.k8s.io' && sight.before && !gone ? foldLease(sight.before.body, seen.body) : undefined
		const note = [sight.note, isSecret(served) ? secretNote : undefined].filter((part) => part !== undefined).join('; ')
		if (served.name === 'customresourcedefinitions.apiextensions.k8s.io') {
			if (gone) this.#catalog.forget(object)
			else this.#catalog.learn(object)
		}
		return makeVersion(
			{
				cluster: this.#cluster,
				source,
				...this.#clock.read(seen.revision, observedAt, served.aggregated ? undefined : writtenTime(object), sighting === 'watch'),
				observedAt,
				space: served.aggregated ? `aggregated ${served.group}` : space,
				revision: seen.revision,
				operation,
				sighting,
				object: seen.ref,
				apiVersion: apiVersionOf(served),
				objectKind: served.kind,
				uid: seen.uid,
				before: folded ? null : (before?.body ?? null),
				after: folded || gone ? null : seen.body,
				beforeRevision: before?.revision ?? null,
				owners: this.#owners.chain(seen.uid, fields(object['metadata'])['ownerReferences'], gone),
				encoding: 'api',
				...(note === '' ? {} : { note }),
				...(folded === undefined ? {} : { folded }),
			},
			this.#catalog,
		)
	}
}
