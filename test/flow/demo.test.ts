// The program as its users start it, on the recorded incident: every version and every request is answered, and what was really done is found.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireBucket, WireCluster, WireCoverage, WireDiff, WireItem, WireObject, WirePage, WireState, WireVersion } from '#api/wire.ts'
import { demoAudit } from '#test/history/demo.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { clustersOf, isWhole } from './incident.ts'

const storedMs = 120_000
const folder = temporaryFolder('demo')
let program: Program
let address: string

beforeAll(async () => {
	program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', folder.path])
	address = await program.address
	await eventually(() => clustersOf(address), isWhole, storedMs)
	// What was seen whole is said when it is stored.
	await eventually(
		() => getJson<WireCoverage>(address, '/api/v1/coverage?cluster=demo'),
		({ ranges }) => ranges.at(-1)?.to === '2683',
		storedMs,
	)
}, 2 * storedMs)
afterAll(async () => {
	program.process.kill('SIGTERM')
	await program.exited
	folder.remove()
})

async function all<T>(path: string): Promise<readonly T[]> {
	const items: T[] = []
	let cursor: string | null = ''
	while (cursor !== null) {
		const page: WirePage<T> = await getJson(
			address,
			`${path}${path.includes('?') ? '&' : '?'}limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
		)
		items.push(...page.items)
		cursor = page.next
	}
	return items
}

interface Line {
	readonly verb: string
	readonly user: { readonly username: string }
	readonly userAgent?: string
	readonly sourceIPs?: readonly string[]
	readonly responseStatus?: { readonly code?: number }
	readonly responseObject?: { readonly metadata?: { readonly name?: string } }
	readonly annotations?: Readonly<Record<string, string>>
	readonly objectRef?: {
		readonly resource: string
		readonly apiGroup?: string
		readonly subresource?: string
		readonly namespace?: string
		readonly name?: string
	}
}

/** The creation of a Namespace is of the one that it makes, whose name is only in what was sent and answered. */
function createdNamespace({ objectRef, verb, responseObject }: Line): string | undefined {
	return objectRef?.resource === 'namespaces' && verb === 'create' ? responseObject?.metadata?.name : undefined
}

/** An Event has one key in both its groups. */
function resourceOf({ resource, apiGroup = '' }: NonNullable<Line['objectRef']>): string {
	return apiGroup === '' || (resource === 'events' && apiGroup === 'events.k8s.io') ? resource : `${resource}.${apiGroup}`
}

describe('the recorded incident', () => {
	it('is there whole, nothing twice', async () => {
		const { items } = await getJson<WirePage<WireCluster>>(address, '/api/v1/clusters')
		expect(items).toHaveLength(1)
		expect((items[0]?.counts.change ?? 0) + (items[0]?.counts.event ?? 0)).toBe(2817)
		expect(items[0]?.counts.audit).toBe(3363)
		expect(items[0]?.counts.reject ?? 0).toBe(0)
		const coverage = await getJson<WireCoverage>(address, '/api/v1/coverage?cluster=demo')
		expect(coverage.gaps).toEqual([])
		expect(coverage.ranges.map((range) => [range.from, range.to, range.versions])).toEqual([['2', '2683', 2817]])
	})

	it('answers every told act with a change at its revision', async () => {
		const rows = readFileSync('demo/timeline.tsv', 'utf8')
			.trim()
			.split('\n')
			.slice(1)
			.map((line) => line.split('\t'))
		const changes = await all<WireItem>('/api/v1/timeline?cluster=demo&include=changes&noise=true')
		const byRevision = new Map<string, WireItem[]>()
		for (const change of changes) byRevision.set(change.revision ?? '', [...(byRevision.get(change.revision ?? '') ?? []), change])
		let told = 0
		for (const row of rows) {
			const objects = (row[5] ?? '').split(',')
			for (const [index, revision] of (row[6] ?? '').split(',').entries()) {
				if (revision === '-' || revision === '') continue
				told += 1
				const [kind, namespace, name] = (objects[index] ?? '').split('/')
				const found = byRevision.get(revision)?.find((change) => change.objectKind === kind && change.object?.name === name)
				expect(found?.object?.namespace, `${revision} ${objects[index]}`).toBe(namespace === '-' ? '' : namespace)
			}
		}
		expect(told).toBe(74)
	})

	it('says what changed and who did it', async () => {
		const versions = await all<WireVersion>('/api/v1/history/demo/deployments.apps/shop/checkout')
		const rollout = versions.find((version) => version.revision === '710')
		expect(rollout?.summary).toContain('image checkout v2.0.0 → v2.0.1')
		expect(rollout?.actor).toMatchObject({ tier: 'exact', user: 'ci-deployer', verb: 'patch' })
		const config = await all<WireVersion>('/api/v1/history/demo/configmaps/shop/checkout-config')
		expect(config.map((version) => version.summary).join('\n')).toContain('PAYMENT_TIMEOUT 5s → 500ms')
		expect(config.find((version) => version.summary.includes('500ms'))?.actor).toMatchObject({ tier: 'exact', user: 'bob' })
		// Written around the API server: nobody is named.
		const bypass = await all<WireVersion>('/api/v1/history/demo/clusterrolebindings.rbac.authorization.k8s.io/-/ops-maintenance')
		expect(bypass.find((version) => version.revision === '1141')?.actor?.tier).toBe('unresolved')
	})

	it('shows the past, and no secret', async () => {
		const state = await getJson<WireState>(address, '/api/v1/history/demo/secrets/payments/payment-gateway/state?at=1102')
		const data = state.body?.['data'] as Record<string, string>
		expect(Object.keys(data)).toContain('api-key')
		for (const value of Object.values(data)) expect(value).toMatch(/^kubetape:hmac:[0-9a-f]{16}$/)
		const pods = await getJson<WirePage<WireState>>(address, '/api/v1/objects?cluster=demo&at=900&kind=Pod&namespace=shop&limit=1000')
		expect(pods.items.length).toBeGreaterThan(5)
		const audit = JSON.stringify(await all<WireItem>('/api/v1/audit?cluster=demo&user=bob'))
		expect(audit).toContain('payment-gateway')
		expect(audit).not.toContain('not-a-real-key-0001')
	})

	it('answers each version at its own revision, and each diff from the one before', async () => {
		let asked = 0
		for (const object of [
			'configmaps/shop/checkout-config',
			'deployments.apps/shop/checkout',
			'nodes/-/node-c',
			'leases.coordination.k8s.io/kube-node-lease/node-c',
		]) {
			let before: string | null = null
			for (const version of await all<WireVersion>(`/api/v1/history/demo/${object}`)) {
				const state = await getJson<WireState>(address, `/api/v1/history/demo/${object}/state?at=${version.revision}`)
				expect(state.item.revision).toBe(version.revision)
				expect(state.body?.['metadata']).toMatchObject({ resourceVersion: version.revision })
				const diff: WireDiff = await getJson(address, `/api/v1/history/demo/${object}/diff?to=${version.revision}`)
				expect([diff.from, diff.to]).toEqual([before, version.revision])
				before = version.revision ?? null
				asked += 1
			}
		}
		expect(asked).toBeGreaterThan(60)
	})

	it('finds words and warnings, each that there is and nothing else', async () => {
		const events = await all<WireItem>('/api/v1/timeline?cluster=demo&include=events&noise=true')
		// What an expired Event had said is not said again.
		const words = (item: WireItem): string => {
			const said = item.operation === 'deleted' ? [] : [item.event?.reason, item.event?.message]
			return [item.summary, ...said, item.event?.object.name, item.object?.name].join('\n')
		}
		for (const word of ['BackOff', 'readiness', 'checkout']) {
			const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, 'iu')
			const expected = events.filter((item) => pattern.test(words(item))).map(({ id }) => id)
			const found = await all<WireItem>(`/api/v1/timeline?cluster=demo&include=events&noise=true&q=${word}`)
			expect(expected.length, word).toBeGreaterThan(0)
			expect(
				found.map(({ id }) => id),
				word,
			).toEqual(expected)
		}
		const everything = await all<WireItem>('/api/v1/timeline?cluster=demo')
		for (const severity of ['warning', 'error', 'normal']) {
			const expected = everything.filter((item) => item.severity === severity).map(({ id }) => id)
			expect(
				(await all<WireItem>(`/api/v1/timeline?cluster=demo&severity=${severity}`)).map(({ id }) => id),
				severity,
			).toEqual(expected)
		}
	})

	it('counts the requests as the audit log itself does', async () => {
		const lines = demoAudit()
		const countsBy: Readonly<Record<string, (line: Line) => readonly string[]>> = {
			user: (line) => [line.user.username],
			verb: (line) => [line.verb],
			code: (line) => [String(line.responseStatus?.code ?? 0)],
			userAgent: (line) => [line.userAgent ?? ''],
			sourceIP: (line) => line.sourceIPs ?? [],
			namespace: (line) => (line.objectRef === undefined ? [] : [line.objectRef.namespace ?? createdNamespace(line) ?? '']),
			resource: (line) => (line.objectRef === undefined ? [] : [resourceOf(line.objectRef)]),
		}
		for (const [field, valuesOf] of Object.entries(countsBy)) {
			const counts = new Map<string, number>()
			for (const line of lines) for (const value of valuesOf(line as unknown as Line)) counts.set(value, (counts.get(value) ?? 0) + 1)
			const { items } = await getJson<WirePage<{ value: string; count: number }>>(
				address,
				`/api/v1/audit/top?cluster=demo&by=${field}&limit=1000`,
			)
			expect(new Map(items.map(({ value, count }) => [value, count])), field).toEqual(counts)
			const [rarest] = [...counts].filter(([value]) => value !== '').toSorted(([, a], [, b]) => a - b)
			expect(
				await all(`/api/v1/audit?cluster=demo&${field}=${encodeURIComponent(rarest?.[0] ?? '')}`),
				`${field} ${rarest?.[0]}`,
			).toHaveLength(rarest?.[1] ?? -1)
		}
		const status = lines.filter((line) => (line as unknown as Line).objectRef?.subresource === 'status').length
		expect(await all('/api/v1/audit?cluster=demo&subresource=status')).toHaveLength(status)
		const forbidden = lines.filter((line) => (line as unknown as Line).annotations?.['authorization.k8s.io/decision'] === 'forbid').length
		expect(await all('/api/v1/audit?cluster=demo&decision=forbid')).toHaveLength(forbidden)
	})

	it.each(['', 'include=audit', 'include=changes,events&noise=true', 'severity=warning', 'namespace=shop', 'kind=Pod', 'q=checkout'])(
		'counts over time what the timeline lists: %s',
		async (query) => {
			const items = await all<WireItem>(`/api/v1/timeline?cluster=demo&${query}`)
			const buckets = (await getJson<WirePage<WireBucket>>(address, `/api/v1/timeline/histogram?cluster=demo&buckets=7&${query}`)).items
			expect(buckets).toHaveLength(7)
			const listed = buckets.map((bucket) => {
				const inside = items.filter((item) => item.time >= bucket.from && item.time <= bucket.to)
				return [inside.length, inside.filter((item) => item.severity !== 'normal').length]
			})
			expect(buckets.map((bucket) => [Object.values(bucket.counts).reduce((sum, count) => sum + count, 0), bucket.warnings])).toEqual(
				listed,
			)
			expect(listed.reduce((sum, [inside = 0]) => sum + inside, 0)).toBe(items.length)
		},
	)

	it('answers every version of every object, cluster events too, at its own revision', async () => {
		const versions = await all<WireItem>('/api/v1/timeline?cluster=demo&include=changes,events&noise=true')
		expect(versions).toHaveLength(2817)
		const nobody: WireObject = { resource: '', group: '', namespace: '', name: '', key: '' }
		const wrong: string[] = []
		const ask = async (version: WireItem): Promise<void> => {
			const { resource, group, namespace, name } = version.event?.object ?? version.object ?? nobody
			const path = [group === '' ? resource : `${resource}.${group}`, namespace || '-', name].map(encodeURIComponent).join('/')
			const state = await getJson<WireState>(address, `/api/v1/history/demo/${path}/state?at=${version.revision}`)
			const inBody = (state.body?.['metadata'] as { resourceVersion?: string } | undefined)?.resourceVersion
			// A key that the API server keeps for itself holds no object.
			const expected = version.operation === 'deleted' || resource === 'etcdkeys' ? undefined : version.revision
			if (state.item.revision !== version.revision || inBody !== expected)
				wrong.push(`${path}@${version.revision}: ${state.item.revision} ${inBody}`)
		}
		const left = [...versions]
		await Promise.all(
			Array.from({ length: 8 }, async () => {
				for (let version = left.pop(); version; version = left.pop()) await ask(version)
			}),
		)
		expect(wrong).toEqual([])
	}, 120_000)

	it('answers the questions of operators', async () => {
		const metrics = await (await fetch(`${address}/metrics`)).text()
		expect(metrics).toContain('kubetape_process_records_total')
		expect(metrics).toContain('kubetape_collect_records_total')
		expect((await fetch(`${address}/readyz`)).status).toBe(200)
		expect((await fetch(`${address}/livez`)).status).toBe(200)
	})
})
