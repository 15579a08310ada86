// The program as its users start it, on the recorded incident: every version and every request is answered, and what was really done is found.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WireCluster, WireCoverage, WireDiff, WireItem, WirePage, WireState, WireVersion } from '#api/wire.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'

const folder = temporaryFolder('demo')
let program: Program
let address: string

beforeAll(async () => {
	program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', folder.path])
	address = await program.address
	await eventually(
		() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
		({ items }) => (items[0]?.counts.change ?? 0) + (items[0]?.counts.event ?? 0) >= 2817 && (items[0]?.counts.audit ?? 0) >= 3363,
	)
})
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

	it('finds words, and warnings', async () => {
		const found = await getJson<WirePage<WireItem>>(
			address,
			'/api/v1/timeline?cluster=demo&include=events&q=CrashLoopBackOff%20checkout&limit=10',
		)
		const backoff = await getJson<WirePage<WireItem>>(address, '/api/v1/timeline?cluster=demo&include=events&q=BackOff&limit=10')
		expect(found.items.length + backoff.items.length).toBeGreaterThan(0)
		const warnings = await getJson<WirePage<WireItem>>(address, '/api/v1/timeline?cluster=demo&severity=warning&limit=1000')
		expect(warnings.items.every((item) => item.severity === 'warning')).toBe(true)
		expect(warnings.items.length).toBeGreaterThan(20)
	})

	it('answers the questions of operators', async () => {
		const metrics = await (await fetch(`${address}/metrics`)).text()
		expect(metrics).toContain('kubetape_process_records_total')
		expect(metrics).toContain('kubetape_collect_records_total')
		expect((await fetch(`${address}/readyz`)).status).toBe(200)
		expect((await fetch(`${address}/livez`)).status).toBe(200)
	})
})
