// What the decoder gives against Kubernetes' own types: every field of every kind that its schemes know, filled at random; and every value of the recorded incident.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bodyOf, decodeValue } from '#collectors/etcd/decode.ts'
import { loadKinds } from '#collectors/etcd/types.ts'
import { serversDir } from '#test/support/cluster.ts'
import { seedOf } from '#test/support/random.ts'

/** Seed 0 fills every field; the others leave some empty. */
const fixedSeeds = 25
const freshSeeds = 25
const differencesShown = 5
const textShown = 120

async function* linesOf(program: string, args: readonly string[], input = ''): AsyncGenerator<string> {
	const child = spawn(join(serversDir, program), args, { stdio: ['pipe', 'pipe', 'inherit'] })
	const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
	child.stdin.end(input)
	yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })
	expect(await ended).toBe(0)
}

/** rig-fill is told not to escape what the API server escapes. */
function escaped(text: string): string {
	return text.replaceAll(/[<>&]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)
}

function textOf(value: Buffer, revision: bigint): string {
	const decoded = decodeValue(value, revision)
	return bodyOf(decoded)?.text ?? JSON.stringify(decoded)
}

/**
 * What is read gives a Job without labels those of its template, which Kubernetes' types alone do not: where that is all that differs, theirs. Else ours.
 */
function withoutGivenLabels(kind: string, ours: string, theirs: string): string {
	let at = 0
	while (at < theirs.length && ours[at] === theirs[at]) at += 1
	const length = ours.length - theirs.length
	if (kind !== 'batch/v1 Job' || length <= 0 || ours.slice(0, at) + ours.slice(at + length) !== theirs) return ours
	const given = /labels":(\{.*\})/s.exec(ours.slice(at, at + length))?.[1]
	return given !== undefined && theirs.includes(`"labels":${given}`) ? theirs : ours
}

/** Where two texts part, with what stands around it. */
function parting(ours: string, theirs: string): string {
	let at = 0
	while (at < ours.length && ours[at] === theirs[at]) at += 1
	const around = (text: string): string => text.slice(Math.max(0, at - textShown), at + textShown)
	return `\n  ours   ${around(ours)}\n  theirs ${around(theirs)}`
}

describe('every kind', () => {
	const compare = async (
		first: number,
		count: number,
	): Promise<{ readonly seen: ReadonlySet<string>; readonly differing: readonly string[] }> => {
		const seen = new Set<string>()
		const differing: string[] = []
		for await (const line of linesOf('rig-fill', ['--first', String(first), '--seeds', String(count)])) {
			const [kind = '', seed = '', value = '', served = ''] = line.split('\t')
			seen.add(kind.replace(' ', '/'))
			const theirs = escaped(served)
			const ours = withoutGivenLabels(kind, textOf(Buffer.from(value, 'base64'), 7n), theirs)
			if (ours !== theirs && differing.length < differencesShown) differing.push(`${kind}, seed ${seed}: ${parting(ours, theirs)}`)
		}
		return { seen, differing }
	}

	it('is the same text with every field filled, and no kind is unknown on one side', async () => {
		const { seen, differing } = await compare(0, 1)
		expect(differing).toEqual([])
		const known = loadKinds()
		expect([...seen].filter((kind) => !known.all.has(kind) && kind !== 'apiextensions.k8s.io/v1beta1/CustomResourceDefinition')).toEqual([])
		// An example that no server registers.
		expect([...known.protobuf.keys()].filter((kind) => !seen.has(kind))).toEqual(['testapigroup.apimachinery.k8s.io/v1/Carp'])
		expect(seen.size).toBeGreaterThan(150)
	})

	it('is the same text with fields left empty', async () => {
		expect((await compare(1, fixedSeeds)).differing).toEqual([])
	})

	it('is the same text with fresh seeds', async () => {
		expect((await compare(fixedSeeds + 1 + (seedOf('etcd/kinds') % 1e9), freshSeeds)).differing).toEqual([])
	})
})

describe('the recorded incident', () => {
	interface Line {
		readonly rev: number
		readonly key: string
		readonly value: string | null
	}
	const stored = gunzipSync(readFileSync('demo/etcd.jsonl.gz'))
		.toString()
		.trim()
		.split('\n')
		.map((text) => JSON.parse(text) as Line)
		.filter((line): line is Line & { value: string } => line.value !== null)
	const isDefinition = ({ key }: Line): boolean => key.startsWith('/registry/apiextensions.k8s.io/customresourcedefinitions/')
	/** Without what the API server puts in when it reads; the order of the keys stays. */
	const asStored = (text: string): string => {
		const object = JSON.parse(text) as { metadata: Record<string, unknown> }
		delete object.metadata['resourceVersion']
		return JSON.stringify(object)
	}

	it('is equal value by value', async () => {
		const objects = stored.filter(({ value }) => /^(?:azhz|ey)/.test(value) && Buffer.from(value, 'base64').length > 0)
		const others = stored.filter((line) => !objects.includes(line))
		expect(new Set(others.map(({ key }) => key))).toEqual(new Set(['compact_rev_key']))
		let index = 0
		let equal = 0
		const differing: string[] = []
		for await (const text of linesOf('rig-decode', [], `${objects.map(({ value }) => value).join('\n')}\n`)) {
			const line = objects[index++]
			if (!line) throw new Error('more lines than values')
			expect(text, line.key).not.toContain('"error":')
			// A definition is stored as v1beta1 and served as v1: its conversion is compared above.
			if (isDefinition(line)) continue
			const theirs = asStored(text)
			const kind = line.key.startsWith('/registry/jobs/') ? 'batch/v1 Job' : ''
			const ours = withoutGivenLabels(kind, asStored(textOf(Buffer.from(line.value, 'base64'), BigInt(line.rev))), theirs)
			if (ours === theirs) equal += 1
			else if (differing.length < differencesShown) differing.push(`${line.key} ${line.rev}: ${parting(ours, theirs)}`)
		}
		expect(differing).toEqual([])
		expect(index).toBe(objects.length)
		expect(equal).toBe(objects.filter((line) => !isDefinition(line)).length)
		expect(equal).toBeGreaterThan(2500)
	})
})
