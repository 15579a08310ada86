// A journal of a test's own: a real systemd-journald in a namespace of its own, and files of a journal made from entries with any fields. Debian's, installed where they are missing, never skipped. Needs root.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { eventually } from './program.ts'

const journald = '/lib/systemd/systemd-journald'
const remote = '/lib/systemd/systemd-journal-remote'
const configFolder = '/etc/systemd'

export function installJournald(): void {
	if (existsSync(journald) && existsSync(remote)) return
	const packages = ['systemd', 'systemd-journal-remote']
	if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
		throw new Error(`${journald} or ${remote} is missing: install ${packages.join(' and ')} (Debian: apt-get install)`)
	const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
	execFileSync('apt-get', ['update', '-qq'], options)
	execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
}

export interface JournalEntryFields {
	/** In µs. */
	readonly at: number
	readonly boot: string
	readonly fields: readonly (readonly [name: string, value: string | Buffer])[]
}

/** Appends entries to a file of a journal, through the export format (systemd.io/JOURNAL_EXPORT_FORMATS). */
export function appendEntries(file: string, entries: readonly JournalEntryFields[]): void {
	const parts: Buffer[] = []
	for (const { at, boot, fields } of entries) {
		parts.push(Buffer.from(`__REALTIME_TIMESTAMP=${at}\n__MONOTONIC_TIMESTAMP=${at % 1e12}\n_BOOT_ID=${boot}\n`))
		for (const [name, value] of fields) {
			const bytes = Buffer.from(value)
			const size = Buffer.alloc(8)
			size.writeBigUInt64LE(BigInt(bytes.length))
			parts.push(Buffer.from(`${name}\n`), size, bytes, Buffer.from('\n'))
		}
		parts.push(Buffer.from('\n'))
	}
	const { status, stderr } = spawnSync(remote, ['--output', file, '-'], { input: Buffer.concat(parts), encoding: 'utf8' })
	if (status !== 0) throw new Error(`systemd-journal-remote: ${stderr}`)
}

export class Journald {
	readonly #namespace: string
	readonly #process: ChildProcess
	readonly #exited: Promise<void>
	/** Where its files are. */
	readonly directory: string

	private constructor(namespace: string) {
		this.#namespace = namespace
		this.directory = `/var/log/journal/${readFileSync('/etc/machine-id', 'utf8').trim()}.${namespace}`
		writeFileSync(
			join(configFolder, `journald@${namespace}.conf`),
			'[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSyncIntervalSec=1s\nSystemMaxUse=1G\nSystemKeepFree=1M\n',
		)
		mkdirSync(dirname(this.directory), { recursive: true })
		this.#process = spawn(journald, [namespace], { stdio: 'ignore' })
		this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()))
	}

	static async start(namespace: string): Promise<Journald> {
		installJournald()
		const started = new Journald(namespace)
		await eventually(async () => existsSync(join(started.directory, 'system.journal')) && existsSync(started.#socket), Boolean)
		return started
	}

	get #socket(): string {
		return `/run/systemd/journal.${this.#namespace}/stdout`
	}

	/** What systemd makes of a unit's standard output (sd_journal_stream_fd(3)): each line is an entry. */
	async open(unit: string, identifier: string, priority: number): Promise<Socket> {
		// journald closes its direction at once.
		const socket = connect({ path: this.#socket, allowHalfOpen: true })
		await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
		socket.write(`${identifier}\n${unit}\n${priority}\n0\n0\n0\n0\n`)
		return socket
	}

	/** The file that is written is closed, and another begun. */
	async rotate(): Promise<void> {
		const files = (): number => spawnSync('ls', [this.directory], { encoding: 'utf8' }).stdout.split('\n').length
		const before = files()
		this.#process.kill('SIGUSR2')
		await eventually(async () => files() > before, Boolean)
	}

	/** All but the file that is written are removed. */
	vacuum(): void {
		execFileSync('journalctl', [`--directory=${this.directory}`, '--vacuum-files=1'], { stdio: 'ignore' })
	}

	async stop(): Promise<void> {
		this.#process.kill('SIGTERM')
		await this.#exited
		rmSync(this.directory, { recursive: true, force: true })
		rmSync(dirname(this.#socket), { recursive: true, force: true })
		rmSync(join(configFolder, `journald@${this.#namespace}.conf`), { force: true })
	}
}
