// Unpacks a recording's pods.tar.gz into a folder of the collector's own, so that its files can be read side by side, in the order of time.
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readChunks } from '#collectors/tail/chunks.ts'
import { messageOf } from '#runtime/errors.ts'
import type { RecordedFile } from './recording.ts'
import { readTar } from './tar.ts'

/** What an archive may unpack to. Beyond, it is taken as broken off there. */
const unpackedBytesMax = 16 * 1024 * 1024 * 1024
const filesMax = 100_000

export interface UnpackedPods {
	readonly files: readonly RecordedFile[]
	/** Why the archive could not be read to its end; what came before is in `files`. */
	readonly failure: string | undefined
}

/** Names in the archive are never used as names of files here. The caller removes `dir`. */
export async function unpackPods(archive: RecordedFile, dir: string): Promise<UnpackedPods> {
	await rm(dir, { recursive: true, force: true })
	await mkdir(dir, { recursive: true })
	const files: RecordedFile[] = []
	let bytes = 0
	try {
		for await (const entry of readTar(readChunks(archive.path))) {
			if (files.length >= filesMax) return { files, failure: `more than ${filesMax} files` }
			const path = join(dir, String(files.length))
			files.push({ name: entry.path.replace(/\.gz$/, ''), path })
			const file = await open(path, 'w')
			try {
				for await (const chunk of entry.content) {
					bytes += chunk.length
					if (bytes > unpackedBytesMax) return { files, failure: `more than ${unpackedBytesMax} bytes` }
					await file.writeFile(chunk)
				}
			} finally {
				await file.close()
			}
		}
	} catch (error) {
		return { files, failure: messageOf(error) }
	}
	return { files, failure: undefined }
}
