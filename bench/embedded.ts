// The whole line on one machine: the Pods of the recorded incident, many times over, through read, redact, append, describe, store, as users start it.
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import { decodeValue } from '#collectors/etcd/decode.ts'
import type { WireCluster, WirePage } from '#api/wire.ts'
import { eventually, getJson, startProgram, temporaryFolder } from '#test/support/program.ts'

export const name = 'embedded, end to end'

const changesMin = Number(process.env['KUBETAPE_BENCH_RECORDS'] ?? 240_000)
/** The rate from start to here is told too: the first seconds of a process are its slowest, its code is not compiled yet. */
const firstChanges = 60_000
const startedMs = Date.UTC(2026, 0, 15, 10)

interface Recorded {
	readonly rev: number
	readonly type: 'PUT' | 'DELETE'
	readonly key: string
	readonly create_revision: number
	readonly version: number
	readonly value: string | null
	readonly prev: { readonly mod_revision: number; readonly value: string } | null
}

interface Change {
	readonly line: Recorded
	/** Of the object as the API server serves it. */
	readonly jsonBytes: number
	readonly name: string
	readonly uid: string
}

/** What etcd held, value by value: protobuf mostly. */
function recordedChanges(): readonly Change[] {
	const lines = gunzipSync(readFileSync(new URL('../demo/etcd.jsonl.gz', import.meta.url)))
		.toString('utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as Recorded)
	return lines.map((line) => {
		const decoded = decodeValue(Buffer.from(line.value ?? line.prev?.value ?? '', 'base64'), 1n)
		if (!('value' in decoded)) return { line, jsonBytes: 0, name: '', uid: '' }
		const metadata = decoded.value['metadata'] as { name: string; uid: string }
		return { line, jsonBytes: JSON.stringify(decoded.value).length, name: metadata.name, uid: metadata.uid }
	})
}

type Renamed = (value: string) => string

/** The same lives again and again: `renamed` gives a value of a copy, `keyOf` its key. Revisions go on from copy to copy. */
async function writeCopies(
	dir: string,
	changes: readonly Change[],
	copyOf: (change: Change, copy: number) => { readonly key: string; readonly renamed: Renamed },
): Promise<{ readonly changes: number; readonly bytes: number }> {
	const file = createWriteStream(join(dir, 'etcd.jsonl'))
	const numbers = new Map(changes.map(({ line }, index) => [line.rev, index]))
	let written = 0
	let bytes = 0
	for (let copy = 0; written < changesMin; copy++) {
		const base = copy * changes.length + 2
		const moved = (rev: number): number => base + (numbers.get(rev) ?? 0)
		for (const [index, change] of changes.entries()) {
			const { line } = change
			const { key, renamed } = copyOf(change, copy)
			const text = JSON.stringify({
				...line,
				rev: base + index,
				key,
				create_revision: line.type === 'DELETE' ? 0 : line.create_revision === line.rev ? base + index : moved(line.create_revision),
				lease: '0',
				value: line.value === null ? null : renamed(line.value),
				prev:
					line.prev && numbers.has(line.prev.mod_revision)
						? { mod_revision: moved(line.prev.mod_revision), value: renamed(line.prev.value) }
						: null,
				observed: new Date(startedMs + written).toISOString(),
			})
			if (!file.write(`${text}\n`)) await once(file, 'drain')
			written += 1
			bytes += change.jsonBytes
		}
	}
	file.end()
	await finished(file)
	return { changes: written, bytes }
}

/** Everything that happened in the incident, as often as it takes. */
function writeMix(dir: string): ReturnType<typeof writeCopies> {
	return writeCopies(dir, recordedChanges(), ({ line }) => ({ key: line.key, renamed: (value) => value }))
}

/** The lives of its Pods, under names and uids of the same length. */
function writePods(dir: string): ReturnType<typeof writeCopies> {
	const pods = recordedChanges().filter((change) => change.line.key.startsWith('/registry/pods/') && /-[a-z0-9]{5}$/.test(change.name))
	return writeCopies(dir, pods, ({ line, name: pod, uid }, copy) => {
		const suffix = copy.toString(36).padStart(5, '0')
		const other = { name: pod.slice(0, -5) + suffix, uid: uid.slice(0, -5) + suffix.replaceAll(/[g-z]/g, '0') }
		return {
			key: line.key.replace(pod, other.name),
			renamed(value) {
				const bytes = Buffer.from(value, 'base64').toString('latin1').replaceAll(pod, other.name).replaceAll(uid, other.uid)
				return Buffer.from(bytes, 'latin1').toString('base64')
			},
		}
	})
}

function bytesOf(dir: string): number {
	return readdirSync(dir, { withFileTypes: true }).reduce(
		(sum, entry) => sum + (entry.isDirectory() ? bytesOf(join(dir, entry.name)) : statSync(join(dir, entry.name)).size),
		0,
	)
}

const visibleOf = (clusters: readonly WireCluster[]): number => (clusters[0]?.counts.change ?? 0) + (clusters[0]?.counts.event ?? 0)

export async function run(print: (line: string) => void): Promise<void> {
	await through(print, 'the incident, over and over', writeMix)
	await through(print, 'its Pods only', writePods)
}

async function through(print: (line: string) => void, what: string, write: (dir: string) => ReturnType<typeof writeCopies>): Promise<void> {
	const folder = temporaryFolder('bench')
	const { changes, bytes } = await write(folder.path)
	const data = join(folder.path, 'data')
	const program = startProgram(['all-in-one', '--replay', folder.path, '--port', '0', '--data-dir', data], { MALLOC_ARENA_MAX: '2' })
	try {
		const address = await program.address
		const began = performance.now()
		const rates: number[] = []
		for (const wanted of [Math.min(firstChanges, changes), changes]) {
			const { items } = await eventually(
				() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
				(page) => visibleOf(page.items) >= wanted,
				600_000,
			)
			rates.push(Math.round((visibleOf(items) / (performance.now() - began)) * 1000))
		}
		const [first = 0, whole = 0] = rates
		print(`${what}: ${changes} changes of ${Math.round(bytes / changes)} bytes: ${whole} changes/s from file to visible`)
		print(`  the first ${Math.min(firstChanges, changes)} of them: ${first} changes/s`)
		const store =
			readdirSync(data, { recursive: true })
				.map(String)
				.find((path) => path.endsWith('store')) ?? ''
		print(`  stored: ${(bytesOf(join(data, store)) / bytes).toFixed(3)} of their JSON bytes`)
		const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
		print(`  resident memory after it: ${Math.round(rss)} MB`)
	} finally {
		program.process.kill('SIGTERM')
		await program.exited
		folder.remove()
	}
}
