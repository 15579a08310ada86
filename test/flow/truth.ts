// What etcd held, version by version, and the text that the API server served of each: the truth that a store is held against.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createVersions } from '#collectors/etcd/versions.ts'
import { createRedactor } from '#processors/redact/step.ts'
import { Body } from '#records/body.ts'
import { createCatalog } from '#records/catalog.ts'
import { resourceName } from '#records/object-key.ts'
import type { VersionRecord } from '#records/record.ts'
import { serversDir, type Cluster } from '#test/support/cluster.ts'
import { eventOf, readLines, type RecordedLine } from '#test/support/recorded.ts'
import type { Witness } from '#test/support/witness.ts'

/** Who says what the version's text is: the API server; Kubernetes' own types, where the API shows no such object; nobody, of what is no object. */
export type Oracle = 'api' | 'types' | 'none'

export interface TrueVersion {
	readonly revision: bigint
	readonly key: string
	readonly isDeleted: boolean
	/** Id and object, as a collector must give them. */
	readonly record: VersionRecord
	readonly oracle: Oracle
	/** Of a deletion: the last state. Redacted. */
	readonly text: string | null
}

const registry = '/registry/'

/** Every version in etcd's own order, from the first revision to the last that is recorded. `redactionKey`: of the store. */
export async function readTruth(
	name: string,
	cluster: Cluster,
	witness: Pick<Witness, 'text'>,
	redactionKey: Uint8Array,
): Promise<readonly TrueVersion[]> {
	const lines = readLines(cluster)
	const decoded = await decodeAll(lines)
	const { redact } = createRedactor({ key: redactionKey })
	const versions = createVersions({ cluster: name, source: 'test', space: 'main', prefix: registry, catalog: createCatalog() })
	return lines.map((line, index) => {
		const record = versions.toRecord(eventOf(line), 0, 'watch')
		const served = servedText(line, record, witness)
		const text = served ?? typesText(line, decoded[index] ?? '')
		const redacted = text === null ? null : redactedText(redact, record, text)
		const oracle = served !== undefined ? 'api' : text === null ? 'none' : 'types'
		return { revision: BigInt(line.rev), key: line.key, isDeleted: line.type === 'DELETE', record, oracle, text: redacted }
	})
}

/** The API shows a deletion as the last state with the deletion's revision: as that state it has the revision before. */
function servedText(line: RecordedLine, { object }: VersionRecord, witness: Pick<Witness, 'text'>): string | undefined {
	const text = witness.text(resourceName(object), object.namespace, object.name, String(line.rev))
	if (text === undefined || line.type === 'PUT') return text
	return text.replace(`"resourceVersion":"${line.rev}"`, `"resourceVersion":"${line.prev?.mod_revision}"`)
}

/** Kubernetes' own decoder knows no revision: the API server puts it behind the uid, or where that would stand. */
function typesText(line: RecordedLine, decoded: string): string | null {
	if (decoded.startsWith('{"error":')) return null
	const revision = line.type === 'PUT' ? line.rev : line.prev?.mod_revision
	const object = JSON.parse(decoded) as { readonly metadata?: Readonly<Record<string, unknown>> }
	const { name, generateName, namespace, selfLink, uid, ...rest } = object.metadata ?? {}
	return JSON.stringify({
		...object,
		metadata: { name, generateName, namespace, selfLink, uid, resourceVersion: String(revision), ...rest },
	})
}

function redactedText(redact: ReturnType<typeof createRedactor>['redact'], record: VersionRecord, text: string): string {
	const { folded: _, ...whole } = record
	const result = redact({ ...whole, before: null, after: Body.ofText(text) })
	if (!('ok' in result)) throw new Error(`the truth cannot be redacted: ${record.id}`)
	return (result.ok as unknown as VersionRecord).after?.text ?? ''
}

async function decodeAll(lines: readonly RecordedLine[]): Promise<readonly string[]> {
	const decoder = spawn(join(serversDir, 'rig-decode'), { stdio: ['pipe', 'pipe', 'inherit'] })
	const chunks: Buffer[] = []
	decoder.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
	const ended = once(decoder, 'close')
	decoder.stdin.end(lines.map(({ value, prev }) => `${value ?? prev?.value ?? ''}\n`).join(''))
	await ended
	return Buffer.concat(chunks).toString('utf8').split('\n')
}
