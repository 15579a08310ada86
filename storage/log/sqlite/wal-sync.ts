// Forces the write-ahead log to the disk in the background: the thread that appends goes on meanwhile.
import { closeSync, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'

/** Resolves when what was written into the file is on the disk. */
export type Force = (file: number) => Promise<void>

const force: Force = promisify(fdatasync)

export class WalSync {
	readonly #path: string
	readonly #force: Force
	#file: number | undefined
	#running: Promise<void> | undefined
	#next: Promise<void> | undefined

	/** `path` of the database whose log it is. */
	constructor(path: string, by: Force = force) {
		this.#path = `${path}-wal`
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
		// Opened once there is one; it is the same file as long as somebody has the database open.
		this.#file ??= openSync(this.#path, 'r')
		await this.#force(this.#file)
	}

	/** Resolves when nobody waits any more. */
	async close(): Promise<void> {
		while (this.#next ?? this.#running) await (this.#next ?? this.#running)?.catch(() => undefined) // told to whoever asked for it
		if (this.#file !== undefined) closeSync(this.#file)
		this.#file = undefined
	}
}
