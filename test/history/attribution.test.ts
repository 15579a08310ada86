// Who made a version: never a wrong one, on made-up claims and on the whole recorded incident.
import { describe, expect, it } from 'vitest'
import { exactActor, type Claim, type VersionToJoin } from '#history/attribution.ts'
import { demoAudit, demoVersions } from './demo.ts'

const claim = (overrides: Partial<Claim> = {}): Claim => ({
	auditID: 'a',
	stage: 'ResponseComplete',
	verb: 'patch',
	code: 200,
	dryRun: false,
	subresource: '',
	responseRevision: 7n,
	...overrides,
})
const version = (overrides: Partial<VersionToJoin> = {}): VersionToJoin => ({
	revision: 7n,
	operation: 'updated',
	sighting: 'watch',
	marked: false,
	...overrides,
})

describe('the actor of a version', () => {
	it('is the one whose answer it is', () => {
		expect(exactActor(version(), [claim(), claim({ auditID: 'b', responseRevision: 8n })])?.auditID).toBe('a')
	})

	it.each([
		['two claimants', version(), [claim(), claim({ auditID: 'b' })]],
		['a dry run', version(), [claim({ dryRun: true })]],
		['a refusal', version(), [claim({ code: 409 })]],
		['a read', version(), [claim({ verb: 'get' })]],
		['an unfinished answer', version(), [claim({ stage: 'ResponseStarted' })]],
		['a creation by an update', version({ operation: 'created' }), [claim({ verb: 'update' })]],
		['an update by a deletion that marked nothing', version(), [claim({ verb: 'delete' })]],
		['an update by a creation', version(), [claim({ verb: 'create' })]],
	] as const)('is not told for %s', (_, of, claims) => {
		expect(exactActor(of, claims)).toBeUndefined()
	})
})

type Fields = Record<string, unknown>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Claims of the incident by resource, namespace, name and revision. */
function demoClaims(): Map<string, (Claim & { user: string; verb: string })[]> {
	const claims = new Map<string, (Claim & { user: string })[]>()
	for (const entry of demoAudit()) {
		const ref = fields(entry['objectRef'])
		const metadata = fields(fields(entry['responseObject'])['metadata'])
		const revision = text(metadata['resourceVersion'])
		if (revision === '') continue
		const key = [text(ref['resource']), text(ref['namespace']), text(metadata['name']) || text(ref['name']), revision].join('/')
		const one = {
			auditID: text(entry['auditID']),
			stage: text(entry['stage']),
			verb: text(entry['verb']),
			code: Number(fields(entry['responseStatus'])['code'] ?? 0),
			dryRun: text(entry['requestURI']).includes('dryRun=All'),
			subresource: text(ref['subresource']),
			responseRevision: BigInt(revision),
			user: text(fields(entry['user'])['username']),
		}
		claims.set(key, [...(claims.get(key) ?? []), one])
	}
	return claims
}

describe('the actors of the recorded incident', () => {
	const claims = demoClaims()
	const joined = demoVersions().map((record) => {
		const metadata = fields(record.after?.object['metadata'])
		const marked =
			metadata['deletionTimestamp'] !== undefined && fields(record.before?.object['metadata'])['deletionTimestamp'] === undefined
		const found = claims.get([record.object.resource, record.object.namespace, record.object.name, String(record.revision)].join('/')) ?? []
		return {
			record,
			claims: found,
			actor: exactActor({ revision: record.revision, operation: record.operation, sighting: record.sighting, marked }, found),
		}
	})
	const at = (revision: bigint) => joined.filter((join) => join.record.revision === revision)

	it('are as many as can be proven', () => {
		expect(joined.filter((join) => join.actor !== undefined).length).toBe(2327)
	})

	it('are not told where two entries claim a revision', () => {
		for (const revision of [31n, 274n, 275n, 276n, 288n, 290n, 1267n, 1336n]) {
			expect(at(revision).map((join) => join.actor?.auditID)).toEqual([undefined])
		}
	})

	it('are not told for what was written around the API server', () => {
		expect(at(1141n).map((join) => [join.claims.length, join.actor])).toEqual([
			[0, undefined],
			[0, undefined],
		])
	})

	it('name who edited the ConfigMap', () => {
		const edit = joined.find((join) => join.record.object.name === 'checkout-config' && join.record.operation === 'updated')
		expect(edit?.actor?.user).toMatch(/bob/)
	})
})
