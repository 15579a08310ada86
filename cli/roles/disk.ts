// What the data directory takes, and what is left where it is: for operators, before it is full.
import { readdirSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { paths, type RoleContext } from './context.ts'

function bytesBelow(dir: string): number {
	let bytes = 0
	for (const name of readdirSync(dir)) {
		// Files come and go meanwhile: write-ahead logs, days that retention removes.
		const stat = statSync(join(dir, name), { throwIfNoEntry: false })
		if (stat?.isFile()) bytes += stat.size
	}
	return bytes
}

/** Every role tells the same of one directory; nothing where there is none yet. */
export function createDiskMeter({ config, metrics }: RoleContext): () => Promise<void> {
	const free = metrics.gauge('kubetape_data_free_bytes', 'Bytes that may still be written where the data directory is', [], 'first')
	const used = metrics.gauge('kubetape_data_bytes', 'Bytes of the embedded record log and store', ['part'], 'max')
	return async () => {
		try {
			const { bavail, bsize } = await statfs(config.dataDir)
			free.set(bavail * bsize)
			for (const part of ['log', 'store'] as const) used.set({ part }, bytesBelow(paths[part](config)))
		} catch {
			// Not there: another engine keeps the data, or nothing was recorded yet.
		}
	}
}
