// What is in a recording's folder: which of its files are there, packed or plain, and when it begins. Format: docs/reference/recording.md.
import { createHash } from 'node:crypto'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseRevision, type Revision } from '#records/revision.ts'
import { parseTime, type Micros } from '#records/time.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'

export interface RecordedFile {
	/** Below the folder, with `/`, without `.gz`. */
	readonly name: string
	readonly path: string
}

export interface Recording {
	readonly etcd: RecordedFile | undefined
	readonly audit: RecordedFile | undefined
	readonly components: readonly RecordedFile[]
	/** Unpacked pods. */
	readonly pods: readonly RecordedFile[]
	readonly podsArchive: RecordedFile | undefined
	/** When the recording began, and the first revision it holds; undefined where etcd-meta.json does not say. */
	readonly startedAt: Micros | undefined
	readonly firstRevision: Revision | undefined
	/** When the oldest of its files was last written: the only time that a file without any tells. */
	readonly modifiedAt: Micros
	/** Changes when another recording is put in the same place, or one of its files is written anew. */
	readonly fingerprint: string
	/** etcd's own id of the cluster, as etcd-meta.json has it. */
	readonly clusterId: string | undefined
}

const filesMax = 100_000
const depthMax = 8
const metaBytesMax = 64 * 1024
/** Of each end of a file; its size and its age are told beside them. */
const fingerprintBytes = 65_536

/** A folder, or a file: of audit events, unless its name is `etcd.jsonl`. Throws RECORDING_INVALID where there is no recording. */
export async function findRecording(dir: string): Promise<Recording> {
	const single = await fileAt(dir)
	if (single) {
		const used = { etcd: undefined, audit: undefined, components: [], pods: [], podsArchive: undefined }
		const role = single.name === 'etcd.jsonl' ? { etcd: single } : { audit: single }
		return { ...used, ...role, ...nothingSaid, ...(await identityOf([single])) }
	}
	const files = await listFiles(dir)
	const named = (name: string): RecordedFile | undefined => files.find((file) => file.name === name)
	const etcd = named('etcd.jsonl')
	const audit = named('audit.jsonl')
	const components = files.filter((file) => file.name.startsWith('logs/'))
	const podsArchive = named('pods.tar')
	const pods = files.filter((file) => file.name.startsWith('pods/'))
	if (!etcd && !audit && components.length === 0 && !podsArchive && pods.length === 0) {
		throw new KubetapeError(
			'RECORDING_INVALID',
			`${dir} is no recording: it has none of etcd.jsonl(.gz), audit.jsonl(.gz), logs/, pods/ and pods.tar.gz`,
		)
	}
	const meta = await readMeta(join(dir, 'etcd-meta.json'))
	const used = [named('etcd-meta.json'), etcd, audit, ...components, podsArchive, ...pods].filter((file) => file !== undefined)
	return { etcd, audit, components, pods: podsArchive ? [] : pods, podsArchive, ...meta, ...(await identityOf(used)) }
}

async function fileAt(path: string): Promise<RecordedFile | undefined> {
	const found = await stat(path).catch(() => undefined) // a folder that is missing is told below
	return found?.isFile() ? { name: basename(path).replace(/\.gz$/, ''), path } : undefined
}

async function listFiles(dir: string): Promise<readonly RecordedFile[]> {
	const found = new Map<string, RecordedFile>()
	const walk = async (folder: string, depth: number): Promise<void> => {
		const entries = await readdir(join(dir, folder), { withFileTypes: true })
		for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
			const name = folder === '' ? entry.name : `${folder}/${entry.name}`
			if (entry.isDirectory() && depth < depthMax && (depth > 0 || entry.name === 'logs' || entry.name === 'pods'))
				await walk(name, depth + 1)
			else if (entry.isFile() && found.size < filesMax) {
				const plain = name.replace(/\.gz$/, '').replace(/\.tgz$/, '.tar')
				// Where both are there, the plain one was unpacked from the other.
				found.set(plain, plain === name || !found.has(plain) ? { name: plain, path: join(dir, name) } : (found.get(plain) as RecordedFile))
			}
		}
	}
	try {
		await walk('', 0)
	} catch (error) {
		throw new KubetapeError('RECORDING_INVALID', `${dir} cannot be read as a recording: ${messageOf(error)}`, { cause: error })
	}
	return [...found.values()]
}

type Meta = Pick<Recording, 'startedAt' | 'firstRevision' | 'clusterId'>
const nothingSaid: Meta = { startedAt: undefined, firstRevision: undefined, clusterId: undefined }

/** The file is a help: without it, or where it is garbled, the recording is read all the same. */
async function readMeta(path: string): Promise<Meta> {
	let meta: Readonly<Record<string, unknown>> | null
	try {
		if ((await stat(path)).size > metaBytesMax) return nothingSaid
		meta = JSON.parse(await readFile(path, 'utf8')) as Readonly<Record<string, unknown>> | null
	} catch {
		return nothingSaid // not there, or garbled
	}
	const started = meta?.['started']
	const from = parseRevision(String(meta?.['from']))
	// Revision 1 is the empty store: no write has it.
	const firstRevision = from === undefined || from === 0n ? undefined : from < 2n ? 2n : from
	const id = meta?.['cluster_id']
	return {
		startedAt: typeof started === 'string' ? parseTime(started) : undefined,
		firstRevision,
		clusterId: typeof id === 'string' && id !== '' ? id : undefined,
	}
}

async function identityOf(files: readonly RecordedFile[]): Promise<Pick<Recording, 'fingerprint' | 'modifiedAt'>> {
	const hash = createHash('sha256')
	let oldestMs = Number.POSITIVE_INFINITY
	for (const file of files) {
		try {
			const handle = await open(file.path, 'r')
			try {
				const { size, mtimeMs } = await handle.stat()
				oldestMs = Math.min(oldestMs, mtimeMs)
				hash.update(`${file.name}\0${size}\0${mtimeMs}\0`)
				for (const at of [0, Math.max(0, size - fingerprintBytes)]) {
					const end = Buffer.alloc(fingerprintBytes)
					const { bytesRead } = await handle.read(end, 0, fingerprintBytes, at)
					hash.update(end.subarray(0, bytesRead))
				}
			} finally {
				await handle.close()
			}
		} catch (error) {
			throw new KubetapeError('RECORDING_INVALID', `${file.path}: ${messageOf(error)}`, { cause: error })
		}
	}
	return { fingerprint: hash.digest('hex'), modifiedAt: Math.floor(oldestMs * 1000) }
}
