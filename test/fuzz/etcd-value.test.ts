// Values of etcd that are cut, garbled, spliced or made to harm: a version without a body and a reject, or what can be read of them; never a throw, never a hang, the same each time.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVersions, type EtcdEvent } from '#collectors/etcd/versions.ts'
import { createCatalog } from '#records/catalog.ts'
import type { Reject, VersionRecord } from '#records/record.ts'
import { message, stored, text, varint } from '#test/collectors/etcd/protobuf.ts'

interface Sample {
	readonly key: string
	readonly value: Buffer
}

/** One value of each folder of the recorded incident. */
const samples: readonly Sample[] = [
	...new Map(
		gunzipSync(readFileSync('demo/etcd.jsonl.gz'))
			.toString()
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as { readonly key: string; readonly value: string | null })
			.filter(({ value }) => value !== null)
			.map(({ key, value }) => [key.split('/')[2] ?? key, { key, value: Buffer.from(value ?? '', 'base64') }] as const),
	).values(),
]

interface Read {
	readonly version: VersionRecord
	readonly rejects: readonly Reject[]
}

function read(key: string, value: Buffer, prev: Buffer | null = null, observedAt = 1): Read {
	const versions = createVersions({ cluster: 'c', source: 'etcd', space: 'main', prefix: '/registry/', catalog: createCatalog() })
	const event: EtcdEvent = {
		type: 'PUT',
		key,
		value,
		modRevision: 9n,
		createRevision: 7n,
		version: 2n,
		lease: 0n,
		prev: prev && { modRevision: 7n, value: prev },
	}
	const version = versions.toRecord(event, observedAt, 'watch')
	return { version, rejects: versions.takeRejects() }
}

/** What does not hold of whatever was read; empty where all does. */
function wrong({ version, rejects }: Read): string {
	const [reject] = rejects
	if (version.revision !== 9n) return 'the revision is another'
	if (reject)
		return version.after === null && reject.reason !== '' && /^[0-9a-f]{64}$/.test(reject.sha256) ? '' : 'refused, and there is a body'
	if (version.after === null) return version.note !== undefined || version.folded ? '' : 'no body, and not why'
	const value: unknown = JSON.parse(version.after.text)
	return typeof value === 'object' && value !== null ? '' : 'the body is no object'
}

const anySample = fc.constantFrom(...samples)
const change = fc.oneof(
	fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), with: fc.integer({ min: 1, max: 255 }) }),
	fc.record({ kind: fc.constant('set' as const), at: fc.nat(), with: fc.constantFrom(0, 0x7f, 0x80, 0xff) }),
	fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), with: fc.nat(40) }),
	fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), with: fc.nat(40) }),
)

function changed(value: Buffer, { kind, at, with: by }: { readonly kind: string; readonly at: number; readonly with: number }): Buffer {
	const place = value.length === 0 ? 0 : at % value.length
	if (kind === 'cut') return Buffer.concat([value.subarray(0, place), value.subarray(place + by)])
	if (kind === 'repeat') return Buffer.concat([value.subarray(0, place + by), value.subarray(place)])
	const copy = Buffer.from(value)
	if (copy.length > 0) copy[place] = kind === 'set' ? by : (copy[place] ?? 0) ^ by
	return copy
}

describe('recorded values', () => {
	it('with bytes flipped, set, taken out and repeated', () => {
		let rejects = 0
		fc.assert(
			fc.property(anySample, fc.array(change, { minLength: 1, maxLength: 12 }), (sample, changes) => {
				const garbled = changes.reduce(changed, sample.value)
				const result = read(sample.key, garbled, sample.value)
				rejects += result.rejects.length
				expect(wrong(result)).toBe('')
				expect(wrong(read(sample.key, sample.value, garbled))).toBe('')
			}),
			{ numRuns: 3000 },
		)
		expect(rejects).toBeGreaterThan(100)
	})

	it('cut off at every byte', () => {
		for (const { key, value } of samples)
			for (let end = 0; end < value.length; end += 1) expect(wrong(read(key, value.subarray(0, end)))).toBe('')
	})

	it('under the key of another, are kept with a note', () => {
		for (const { key, value } of samples) {
			expect(read(key, value).version.note ?? '').not.toContain('another kind')
			for (const other of samples) {
				const result = read(key, other.value)
				expect(wrong(result)).toBe('')
				expect(result.version.id).toBe(read(key, value).version.id)
			}
		}
		const pod = samples.find(({ key }) => key.startsWith('/registry/pods/'))
		const { version } = read('/registry/configmaps/shop/a', pod?.value ?? Buffer.alloc(0))
		expect(version).toMatchObject({ object: { resource: 'configmaps', name: 'a' }, note: 'its value is of another kind: v1 Pod' })
	})

	it('spliced with another', () => {
		fc.assert(
			fc.property(anySample, anySample, fc.nat(), fc.nat(), (one, two, at, from) => {
				expect(
					wrong(read(one.key, Buffer.concat([one.value.subarray(0, at % one.value.length), two.value.subarray(from % two.value.length)]))),
				).toBe('')
			}),
			{ numRuns: 1000 },
		)
	})
})

const pod = '/registry/pods/a/b'
const nested = (depth: number): Buffer => {
	let bytes = text(1, 'x')
	for (let level = 0; level < depth; level += 1) bytes = message(level % 2 === 0 ? 2 : 7, bytes)
	return bytes
}

describe('made to harm', () => {
	it.each<readonly [string, Buffer]>([
		['nothing', Buffer.alloc(0)],
		['the magic alone', Buffer.from('k8s\0')],
		['a length of 2^35', Buffer.concat([Buffer.from('k8s\0'), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f])])],
		['a length without end', Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(100, 0xff)])],
		['a number without end', stored('v1', 'Pod', message(1, Buffer.concat([Buffer.from([0x38]), Buffer.alloc(40, 0x80)])))],
		['field number 0', stored('v1', 'Pod', Buffer.from([0x02, 0x00]))],
		['a group', stored('v1', 'Pod', Buffer.from([0x0b, 0x0c]))],
		['a number where an object is', stored('v1', 'Pod', varint(1, 5))],
		['a text where a number is', stored('v1', 'Pod', message(1, text(7, 'x')))],
		['times out of range', stored('v1', 'Pod', message(1, message(8, varint(1, 2n ** 62n))))],
		['fields that are no JSON', stored('v1', 'Pod', message(1, message(17, message(7, text(1, '{"a":')))))],
		['messages without content', stored('v1', 'Pod', message(2, Buffer.concat(Array.from({ length: 300_000 }, () => message(2)))))],
		['JSON cut off', Buffer.from('{"kind":"Pod","apiVersion":"v1","metadata":{')],
		['JSON nested deeply', Buffer.from(`{"kind":"A","apiVersion":"v1","a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)],
		['JSON that is not UTF-8', Buffer.concat([Buffer.from('{"kind":"'), Buffer.from([0xff, 0xfe]), Buffer.from('","apiVersion":"v1"}')])],
		['fields nested deeply', stored('v1', 'Pod', message(1, message(17, message(7, text(1, `${'['.repeat(5000)}${']'.repeat(5000)}`)))))],
	])('%s is refused, or is no object', (_, value) => {
		const result = read(pod, value)
		expect(wrong(result)).toBe('')
		expect(result.version.after).toBeNull()
		expect(result.version.note).toBeDefined()
	})

	it.each<readonly [string, string, Buffer]>([
		[
			'a definition of nothing',
			'/registry/apiextensions.k8s.io/customresourcedefinitions/x',
			Buffer.from('{"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1beta1","spec":7}'),
		],
		[
			'a definition with odd lists',
			'/registry/apiextensions.k8s.io/customresourcedefinitions/x',
			Buffer.from(
				'{"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1beta1","metadata":[],"spec":{"names":{"plural":3},"versions":[null,5],"conversion":"x","additionalPrinterColumns":[1]}}',
			),
		],
		[
			'an Event of odd parts',
			'/registry/events/a/b',
			Buffer.from('{"kind":"Event","apiVersion":"v1","involvedObject":[],"count":"many","reason":{},"firstTimestamp":3}'),
		],
		[
			'a Lease of odd parts',
			'/registry/leases/a/b',
			Buffer.from('{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","spec":{"renewTime":{}}}'),
		],
		[
			'odd metadata',
			pod,
			Buffer.from('{"kind":"Pod","apiVersion":"v1","metadata":{"name":{},"uid":5,"ownerReferences":{"0":1},"namespace":[]}}'),
		],
		[
			'ownerReferences of nothing',
			pod,
			Buffer.from('{"kind":"Pod","apiVersion":"v1","metadata":{"ownerReferences":[null,7,{"uid":null}]}}'),
		],
		[
			'__proto__ everywhere',
			pod,
			Buffer.from('{"kind":"Pod","apiVersion":"v1","__proto__":{"x":1},"metadata":{"__proto__":{"name":"x"},"labels":{"__proto__":"y"}}}'),
		],
		['a kind that every object inherits', pod, Buffer.from('{"kind":"constructor","apiVersion":"__proto__"}')],
		['an unknown protobuf kind', pod, stored('a\u0000b/v1', 'K'.repeat(1000))],
		['nesting up to the limit', pod, stored('v1', 'Pod', nested(200))],
	])('%s is taken as it is', (_, key, value) => {
		expect(wrong(read(key, value))).toBe('')
		expect(wrong(read(key, value, value))).toBe('')
		expect(wrong(read(key, stored('v1', 'Pod', message(1, text(1, 'b'))), value))).toBe('')
	})

	it.each([
		'',
		'/',
		'/registry',
		'/registry/',
		'/registry/pods',
		'/registry/pods//b',
		'/registry/pods/a/b/c/d',
		'/registry/services/specs/a',
		'\u0000',
		'/registry/__proto__/a/b',
		'/registry/constructor/toString',
		`/registry/${'a/'.repeat(2000)}b`,
		'x'.repeat(100_000),
	])('the key %.40s has a version', (key) => {
		for (const { value } of samples.slice(0, 5)) expect(wrong(read(key, value))).toBe('')
	})
})

it('any bytes under any key', () => {
	fc.assert(
		fc.property(
			fc.string({ unit: 'binary' }),
			fc.uint8Array({ maxLength: 200 }),
			fc.constantFrom('', 'k8s\0', '{', 'k8s:enc:'),
			(key, bytes, start) => {
				expect(wrong(read(key, Buffer.concat([Buffer.from(start), bytes])))).toBe('')
			},
		),
		{ numRuns: 2000 },
	)
})

it('a refused value has the same ids whenever it is seen', () => {
	const value = Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(100, 0xff)])
	const [one, two] = [read(pod, value, null, 1_000_000), read(pod, value, null, 9_000_000_000)]
	expect(one.rejects.map(({ id }) => id)).toEqual(two.rejects.map(({ id }) => id))
	expect(one.version.id).toBe(two.version.id)
	expect(read('/registry/pods/a/c', value).rejects[0]?.id).not.toBe(one.rejects[0]?.id)
})
