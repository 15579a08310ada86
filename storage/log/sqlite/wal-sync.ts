// Forces the write-ahead log to the disk in the background: the thread that appends goes on meanwhile.
import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

/** Resolves when what was written into the file is on the disk. */
export type Force = (file: number) => Promise<void>

const force: Force = promisify(fdatasync)

export class WalSync {
	readonly #path: string
	readonly #force: Force
	readonly #checkpoint: () => void
	#failed = false
	#file: number | undefined
	#running: Promise<void> | undefined
	#next: Promise<void> | undefined

	/**
	 * `path` of the database whose log it is. `checkpoint` writes all that the log holds into the database, forces that, and throws where it
	 * cannot: after a failure the system takes the log's pages for written, so that forcing it once more would say yes and prove nothing
	 * (https://wiki.postgresql.org/wiki/Fsync_Errors).
	 */
	constructor(path: string, checkpoint: () => void, by: Force = force) {
		this.#path = `${path}-wal`
		this.#checkpoint = checkpoint
		this.#force = by
	}

	/** Resolves when everything that is committed now is on the disk. One that runs already may have begun too early: the next one is for all that come meanwhile. */
	sync(): Promise<void> {
		if (!this.#running) return this.#begin()
		this.#next ??= this.#running.then(
			() => this.#begin(),
			() => this.#begin(),
		)
		return this.#next
	}

	#begin(): Promise<void> {
		this.#next = undefined
		const running = this.#run().finally(() => {
			if (this.#running === running) this.#running = undefined
		})
		this.#running = running
		return running
	}

	async #run(): Promise<void> {
		if (this.#failed) {
			this.#checkpoint()
			this.#failed = false
		}
		this.#file ??= this.#open()
		try {
			await this.#force(this.#file)
		} catch (error) {
			this.#failed = true
			throw error
		}
	}

	/** Once there is one; it is the same file as long as somebody has the database open. Its name has to be on the disk too. */
	#open(): number {
		const folder = openSync(dirname(this.#path), 'r')
		try {
			fsyncSync(folder)
		} finally {
			closeSync(folder)
		}
		return openSync(this.#path, 'r')
	}

	/** Resolves when nobody waits any more. */
	async close(): Promise<void> {
		while (this.#next ?? this.#running) await (this.#next ?? this.#running)?.catch(() => undefined) // told to whoever asked for it
		if (this.#file !== undefined) closeSync(this.#file)
		this.#file = undefined
	}
}
