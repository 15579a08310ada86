// Which file it is, whatever it is called: device, inode and its first bytes. A packed copy is known by the first bytes alone.
import { hash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { readChunks } from './chunks.ts'

export interface Identity {
	readonly device: number
	readonly inode: number
	/** SHA-256 over the first `headBytes` bytes. */
	readonly head: string
	readonly headBytes: number
}

/** So many of the first bytes make a fingerprint; fewer while the file is shorter. */
export const headBytesMax = 1024

export const headHash = (head: Uint8Array): string => hash('sha256', head, 'hex')

/** The first bytes of what is in the file, unpacked. Fewer where it is shorter or damaged. */
export async function readHead(path: string, size: number): Promise<Buffer> {
	const parts: Buffer[] = []
	let bytes = 0
	if (size === 0) return Buffer.alloc(0)
	try {
		for await (const chunk of readChunks(path, size)) {
			parts.push(chunk)
			bytes += chunk.length
			if (bytes >= size) break
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error
	}
	return Buffer.concat(parts).subarray(0, size)
}

/** The index of the file in `paths`; -1 where it is not among them. */
export async function findFile(identity: Identity, paths: readonly string[]): Promise<number> {
	let sameHead = -1
	for (const [index, path] of paths.entries()) {
		try {
			const { dev, ino } = await stat(path)
			const head = await readHead(path, identity.headBytes)
			const same = head.length === identity.headBytes && headHash(head) === identity.head
			// An inode is given out again: alone it says nothing, unless the file was empty.
			if (same && dev === identity.device && ino === identity.inode) return index
			if (same && identity.headBytes > 0) sameHead = index
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
		}
	}
	return sameHead
}

/** A file may get another name, or be packed, between the moments at which names are listed and looked at: it is not gone before it was looked for so often. */
const looksMax = 3

/** The names that `list` gives, and the file's index among them; -1 where it is gone. */
export async function findListed(
	identity: Identity | undefined,
	list: () => Promise<readonly string[]>,
): Promise<{ readonly paths: readonly string[]; readonly index: number }> {
	for (let look = 1; ; look += 1) {
		const paths = await list()
		const index = identity ? await findFile(identity, paths) : -1
		if (!identity || index >= 0 || look === looksMax) return { paths, index }
	}
}
