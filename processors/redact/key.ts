// The key of the keyed hashes: made once per installation, kept beside the data, readable by its owner only; or given, so that several collectors make the same hashes.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KubetapeError, messageOf } from '#runtime/errors.ts'

const keyBytes = 32

async function makeKey(path: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true, mode: 0o750 })
	try {
		await writeFile(path, randomBytes(keyBytes).toString('hex'), { mode: 0o600, flag: 'wx' })
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
	}
}

/** Reads the key; makes it where it is not there, unless it is `given`. Throws RUNTIME_NO_PERMISSION, or CONFIG_INVALID where the file holds something else. */
export async function loadRedactionKey(path: string, given = false): Promise<Uint8Array> {
	try {
		if (!given) await makeKey(path)
		const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'hex')
		if (key.length !== keyBytes)
			throw new KubetapeError(
				'CONFIG_INVALID',
				`${path} holds no key of ${keyBytes} bytes in hex: restore it, or remove it to begin with new hashes`,
			)
		return key
	} catch (error) {
		if (error instanceof KubetapeError) throw error
		throw new KubetapeError('RUNTIME_NO_PERMISSION', `${path}: ${messageOf(error)}`, { cause: error })
	}
}
