// What the benches know of another collector of logs: how it is started, and where what it gives arrives.
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** One file, or every container's below a folder laid out as the kubelet's. */
export type Input = { readonly path: string } | { readonly root: string }

export interface Command {
	readonly command: string
	readonly args: readonly string[]
	readonly environment: Readonly<Record<string, string>>
}

export interface Reliable {
	readonly path: string
	/** State and queue. */
	readonly dir: string
	/** Of the receiver on this machine. */
	readonly port: number
}

export interface Peer {
	readonly name: string
	readonly version: string
	/** What its documentation says to set for delivery, in words; the settings themselves are in its file. */
	readonly settings: string
	/** Each line by a newline over TCP, or OTLP as JSON over HTTP. */
	readonly sends: 'lines' | 'otlp'
	/** Go programs ask the kernel for the time, past any library that answers for it. */
	readonly clockCanStep: boolean
	/** CRI columns parsed, into a file of JSON. `dir` is its own. */
	toFile(input: Input, dir: string): Command
	/** With its reliable settings, to a receiver. */
	toReceiver(options: Reliable): Command
}

/** The file that a peer writes. */
export const outputOf = (dir: string): string => join(dir, 'out.json')

/** Where programs that are only compared with are kept, outside of the tree. */
export function cacheDir(name: string): string {
	const dir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubetape', 'peers', name)
	if (!existsSync(dir)) mkdirSync(dir, { recursive: true })
	return dir
}
