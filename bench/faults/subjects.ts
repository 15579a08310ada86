// Who is put through the faults: the real collect process, read from its record log, and the peers, with what they send to a receiver.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Command, Peer } from '#bench/peers/peer.ts'
import { endProcess } from '#bench/subject.ts'
import { linesOf } from '#records/log-block.ts'
import { systemClock } from '#runtime/clock.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import { receive } from './receivers.ts'
import { Tally } from './tally.ts'

export interface Subject {
	readonly tally: Tally
	/** What it says it could not read. */
	readonly gaps: readonly string[]
	start(): void
	kill(): Promise<void>
	stop(): Promise<void>
	/** Where it puts the lines takes none. */
	stall(): void
	resume(): void
	close(): Promise<void>
}

export interface Place {
	/** The container's log file, in a folder laid out as the kubelet's below `root`. */
	readonly path: string
	readonly root: string
	/** State, queues, the record log. */
	readonly disk: string
	readonly environment: Readonly<Record<string, string>>
}

export interface SubjectKind {
	readonly name: string
	readonly clockCanStep: boolean
	open(place: Place): Promise<Subject>
}

const restartMs = 1000

/** A process that is started again with the same command; a second after its own death too, as whoever supervises it does. */
class Restartable {
	readonly #command: Command
	readonly #environment: Readonly<Record<string, string>>
	#child: ChildProcess | undefined
	#isWanted = false

	constructor(command: Command, environment: Readonly<Record<string, string>>) {
		this.#command = command
		this.#environment = environment
	}

	start(): void {
		const { command, args, environment } = this.#command
		const child = spawn(command, [...args], { env: { ...process.env, ...environment, ...this.#environment }, stdio: 'ignore' })
		this.#isWanted = true
		this.#child = child
		child.on('exit', () => {
			const again = (): void => {
				if (this.#isWanted && this.#child === child) this.start()
			}
			if (this.#isWanted) setTimeout(again, restartMs)
		})
	}

	async kill(): Promise<void> {
		this.#isWanted = false
		const child = this.#child
		if (!child || child.exitCode !== null || child.signalCode !== null) return
		child.kill('SIGKILL')
		await once(child, 'exit')
	}

	async stop(): Promise<void> {
		this.#isWanted = false
		const child = this.#child
		if (!child) return
		// One that cannot end, because its receiver is stalled or its disk full, is killed.
		const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
		await endProcess(child)
		clearTimeout(timer)
	}
}

export const kubetape: SubjectKind = {
	name: 'Kubetape',
	clockCanStep: true,
	async open({ root, disk, environment }) {
		const config = join(disk, 'config.yaml')
		const data = join(disk, 'data')
		writeFileSync(config, `dataDir: ${data}\nlogLevel: silent\nclusters: [{ name: bench, logs: { pods: { root: ${root} } } }]\n`)
		const args = ['--disable-warning=ExperimentalWarning', 'cli/main.ts', 'collect', '--config', config]
		const running = new Restartable({ command: process.execPath, args, environment: {} }, environment)
		const tally = new Tally()
		const gaps: string[] = []
		const stop = new AbortController()
		const follow = async (): Promise<void> => {
			await using log = await openSqliteLog({ dir: join(data, 'log'), clock: systemClock })
			for await (const { records } of log.read('bench', ['logs', 'ledger'], stop.signal)) {
				for (const record of records) {
					if (record.kind === 'gap') gaps.push(`${record.reason}: ${record.detail}`)
					if (record.kind === 'block') for (const { text, id } of linesOf(record)) tally.add(text, id)
				}
				// The writer of the lines, in this process too, has its turn.
				await new Promise((resolve) => setImmediate(resolve))
			}
		}
		mkdirSync(join(data, 'log'), { recursive: true })
		const following = follow()
		let lock: DatabaseSync | undefined
		return {
			tally,
			gaps,
			start: () => running.start(),
			kill: () => running.kill(),
			stop: () => running.stop(),
			stall() {
				lock = new DatabaseSync(join(data, 'log', 'records.db'))
				lock.exec('BEGIN IMMEDIATE')
			},
			resume() {
				lock?.exec('ROLLBACK')
				lock?.close()
			},
			async close() {
				await running.kill()
				stop.abort()
				await following
			},
		}
	},
}

export function peerKind(peer: Peer): SubjectKind {
	return {
		name: peer.name,
		clockCanStep: peer.clockCanStep,
		async open({ path, disk, environment }) {
			const tally = new Tally()
			const receiver = await receive(peer, tally)
			const running = new Restartable(peer.toReceiver({ path, dir: disk, port: receiver.port }), environment)
			return {
				tally,
				gaps: [],
				start: () => running.start(),
				kill: () => running.kill(),
				stop: () => running.stop(),
				stall: () => receiver.stall(),
				resume: () => receiver.resume(),
				async close() {
					await running.kill()
					await receiver.close()
				},
			}
		},
	}
}
