// The recorded incident through the replay collector, against its ground truth.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { objectKey } from '#records/object-key.ts'
import type { Coverage, KubetapeRecord, VersionRecord } from '#records/record.ts'
import { parseTime } from '#records/time.ts'
import { limits } from '#runtime/limits.ts'
import { replay } from './support.ts'

const demo = fileURLToPath(new URL('../../../demo', import.meta.url))

describe('the recorded incident', () => {
	let records: readonly KubetapeRecord[] = []
	let largestBatch = 0
	let versions: readonly VersionRecord[] = []

	beforeAll(async () => {
		;({ records, largestBatch } = await replay(demo))
		versions = records.filter((record) => record.kind === 'change' || record.kind === 'event')
	})

	it('gives every version of every object, in the order of revisions, in bounded batches', () => {
		expect(versions).toHaveLength(2817)
		expect(new Set(versions.map((version) => objectKey(version.object))).size).toBe(802)
		expect(versions.every((version, index) => index === 0 || version.revision >= (versions[index - 1]?.revision ?? 0n))).toBe(true)
		expect(largestBatch).toBeLessThanOrEqual(limits.batchRecordsMax)
	})

	it('gives every audit entry once, and rejects nothing', () => {
		const entries = records.filter((record) => record.kind === 'audit')
		expect(entries).toHaveLength(3363)
		expect(new Set(entries.map((entry) => entry.id)).size).toBe(3363)
		expect(new Set(entries.map((entry) => entry.user)).size).toBe(28)
		expect(records.filter((record) => record.kind === 'reject' || record.kind === 'gap')).toEqual([])
	})

	it('states that revisions 2 to 2683 were seen whole', () => {
		const ranges = records.filter((record): record is Coverage => record.kind === 'coverage')
		expect(ranges[0]?.fromRevision).toBe(2n)
		expect(ranges.at(-1)?.toRevision).toBe(2683n)
		expect(ranges.every((range, index) => index === 0 || range.fromRevision === (ranges[index - 1]?.toRevision ?? 0n) + 1n)).toBe(true)
		expect(ranges.reduce((sum, range) => sum + range.versions, 0)).toBe(2817)
	})

	it('gives the lines of every component and of the containers, with their places', () => {
		const lines = records.filter((record) => record.kind === 'log')
		const count = (component: string): number => lines.filter((line) => line.component === component).length
		expect([count('etcd'), count('kube-apiserver'), count('kube-controller-manager'), count('kube-scheduler')]).toEqual([
			69, 1115, 924, 261,
		])
		expect([count('kwok-node-a'), count('kwok-node-b'), count('kwok-node-c')]).toEqual([370, 106, 198])
		const container = lines.find((line) => line.pod === 'ledger-0')
		expect(container).toMatchObject({ namespace: 'payments', container: 'ledger', restart: 0, component: '' })
		expect(lines.filter((line) => line.container !== '').length).toBeGreaterThan(5000)
		const from = parseTime('2026-11-23T16:18:57Z') ?? 0
		const to = parseTime('2026-11-23T16:26:30Z') ?? 0
		expect(lines.filter((line) => line.occurredAt < from || line.occurredAt > to)).toEqual([])
	})

	it('holds every revision that the ground truth tells, as a change of that object', () => {
		const kindAt = new Map(
			versions.map((version) => [
				`${version.revision} ${version.objectKind}/${version.object.namespace || '-'}/${version.object.name}`,
				version,
			]),
		)
		const rows = readFileSync(`${demo}/timeline.tsv`, 'utf8')
			.trim()
			.split('\n')
			.slice(1)
			.map((line) => line.split('\t'))
		const told = rows.flatMap(([, , , , , objects = '', revisions = '']) => {
			const names = objects.split(',')
			return revisions
				.split(',')
				.map((revision, index) => ({ revision, object: names[index] ?? '' }))
				.filter(({ revision }) => revision !== '-')
		})
		expect(told).toHaveLength(74)
		expect(told.filter(({ revision, object }) => !kindAt.has(`${revision} ${object}`))).toEqual([])
	})
})
