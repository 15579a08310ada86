// The recorded incident as records, for tests of what is told about it.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createVersions, type EtcdEvent } from '#collectors/etcd/versions.ts'
import { createCatalog } from '#records/catalog.ts'
import type { VersionRecord } from '#records/record.ts'
import { parseTime } from '#records/time.ts'

interface Line {
	rev: number
	type: 'PUT' | 'DELETE'
	key: string
	create_revision: number
	version: number
	lease: string
	value: string | null
	prev: { mod_revision: number; value: string } | null
	observed: string
}

const linesOf = (path: string): string[] => gunzipSync(readFileSync(path)).toString().trim().split('\n')

function eventOf(line: Line): EtcdEvent {
	return {
		type: line.type,
		key: line.key,
		value: line.value === null ? null : Buffer.from(line.value, 'base64'),
		modRevision: BigInt(line.rev),
		createRevision: BigInt(line.create_revision),
		version: BigInt(line.version),
		lease: BigInt(line.lease),
		prev: line.prev && { modRevision: BigInt(line.prev.mod_revision), value: Buffer.from(line.prev.value, 'base64') },
	}
}

export function demoVersions(): VersionRecord[] {
	const versions = createVersions({ cluster: 'demo', source: 'test', space: 'main', prefix: '/registry/', catalog: createCatalog() })
	return linesOf('demo/etcd.jsonl.gz').map((text) => {
		const line = JSON.parse(text) as Line
		return versions.toRecord(eventOf(line), parseTime(line.observed) ?? 0, 'watch')
	})
}

export function demoAudit(): Record<string, unknown>[] {
	return linesOf('demo/audit.jsonl.gz').map((text) => JSON.parse(text) as Record<string, unknown>)
}
