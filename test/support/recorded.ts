// What rig-record has written: everything that a test cluster's etcd was told, one line for each changed key.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EtcdEvent } from '#collectors/etcd/versions.ts'
import type { Cluster } from './cluster.ts'

export interface RecordedLine {
	readonly rev: number
	readonly type: 'PUT' | 'DELETE'
	readonly key: string
	readonly create_revision: number
	readonly version: number
	readonly lease: string
	readonly value: string | null
	readonly prev: { readonly mod_revision: number; readonly value: string } | null
}

/** Whole lines, in etcd's order. */
export function readLines(cluster: Cluster): readonly RecordedLine[] {
	const whole = readFileSync(join(cluster.dir, 'etcd.jsonl'), 'utf8')
	return whole
		.slice(0, whole.lastIndexOf('\n'))
		.split('\n')
		.map((text) => JSON.parse(text) as RecordedLine)
}

export function eventOf({ rev, type, key, create_revision, version, lease, value, prev }: RecordedLine): EtcdEvent {
	return {
		type,
		key,
		value: value === null ? null : Buffer.from(value, 'base64'),
		modRevision: BigInt(rev),
		createRevision: BigInt(create_revision),
		version: BigInt(version),
		lease: BigInt(lease),
		prev: prev && { modRevision: BigInt(prev.mod_revision), value: Buffer.from(prev.value, 'base64') },
	}
}
