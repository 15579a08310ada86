// Records of every stream and kind for a processor that is killed: Pods whose lines come before they do, so that lines are told anew, with bodies that do not compress.
import { Body } from '#records/body.ts'
import { aChange, aClusterEvent, aGap, aLogLine, anAuditEntry, aReject, asRedacted } from '#test/support/records.ts'
import { streamOf, type RecordLog, type Stream } from '#storage/log/port.ts'
import { statementId } from '#records/id.ts'
import type { KubetapeRecord } from '#records/record.ts'
import type { Micros } from '#records/time.ts'

export const cluster = 'test'
const versionsPerGroup = 12
const linesPerPod = 6
const fillerCharacters = 6000
const container = 'web'

export class Records {
	readonly #begin: Micros
	readonly #random: () => number
	#revision = 1000n
	#groups = 0
	/** Its lines are there, itself is not. */
	#announced: string | undefined

	constructor(begin: Micros, random: () => number) {
		this.#begin = begin
		this.#random = random
	}

	/** Some of each kind: lines of a new Pod, and versions of the one whose lines came before. */
	group(): readonly KubetapeRecord[] {
		const group = ++this.#groups
		const pod = `pod-${group}`
		const at = this.#begin + group * 1000
		const statement = { occurredAt: at, observedAt: at }
		const lines = Array.from({ length: linesPerPod }, (_, index) =>
			aLogLine({ ...statement, file: `shop_${pod}_web/0.log`, offset: index * 100, pod, podUid: `uid-${pod}`, container, node: '' }),
		)
		const known = this.#versionsOfAnnounced()
		this.#announced = pod
		return [
			...lines,
			...known,
			...Array.from({ length: 4 }, (_, index) =>
				anAuditEntry({ ...statement, auditID: `audit-${group}-${index}`, requestReceivedAt: at, object: null }),
			),
			aGap({ ...statement, id: statementId('gap', cluster, at, `${group}`), detail: `gap ${group}` }),
			aReject({ ...statement, id: statementId('reject', cluster, at, `${group}`), where: `reject ${group}` }),
		]
	}

	/** After which every Pod with lines is there. */
	last(): readonly KubetapeRecord[] {
		const known = this.#versionsOfAnnounced()
		this.#announced = undefined
		return known
	}

	#versionsOfAnnounced(): readonly KubetapeRecord[] {
		const pod = this.#announced
		if (pod === undefined) return []
		// Before its first line, as it is in a cluster.
		const at = this.#begin + Number(pod.slice('pod-'.length)) * 1000 - 500
		const when = { occurredAt: at, observedAt: at }
		const object = { resource: 'pods', group: '', namespace: 'shop', name: pod }
		let before: Body | null = null
		let beforeRevision: bigint | null = null
		const versions = Array.from({ length: versionsPerGroup }, () => {
			const revision = ++this.#revision
			const filler = Array.from({ length: fillerCharacters / 10 }, () => this.#random().toString(36).slice(2, 12).padEnd(10, '0')).join('')
			const after = Body.ofValue({
				apiVersion: 'v1',
				kind: 'Pod',
				metadata: { name: pod, namespace: 'shop', uid: `uid-${pod}`, resourceVersion: `${revision}`, labels: { app: `app-of-${pod}` } },
				spec: { nodeName: 'n1', containers: [{ name: container, image: 'web:1' }] },
				status: { message: filler },
			})
			const operation = before === null ? 'created' : 'updated'
			const version = aChange({ ...when, revision, object, uid: `uid-${pod}`, operation, before, beforeRevision, after })
			before = after
			beforeRevision = revision
			return version
		})
		const regarding = { ...object, kind: 'Pod', uid: `uid-${pod}`, revision: this.#revision, fieldPath: '' }
		const event = { resource: 'events', group: '', namespace: 'shop', name: `${pod}.17a` }
		return [...versions, aClusterEvent({ ...when, revision: ++this.#revision, object: event, regarding })]
	}
}

/** Resolves when all of them are durable. */
export async function appendAll(log: RecordLog, records: readonly KubetapeRecord[]): Promise<void> {
	for (const [stream, of] of Map.groupBy<Stream, KubetapeRecord>(records, streamOf)) await log.append(stream, of.map(asRedacted))
}
