// The real program as a process: started on free ports and a data directory of its own, stopped by its id.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

export interface Program {
	readonly process: ChildProcess
	readonly output: () => string
	/** Resolves with the exit status. */
	readonly exited: Promise<number | null>
	/** Resolves with the address that it prints; rejects when it ends before. */
	readonly address: Promise<string>
}

/**
 * `node cli/main.ts ARGUMENTS`, without the kubeconfig and the settings of whoever runs the tests. `input`: its standard input.
 * The channel ends it where this process is killed.
 */
export function startProgram(args: readonly string[], environment: Readonly<Record<string, string>> = {}, input?: Buffer): Program {
	const inherited = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !name.startsWith('KUBETAPE_') && name !== 'KUBECONFIG'),
	)
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...args], {
		stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
		env: { ...inherited, HOME: '/nonexistent', ...environment },
	})
	child.stdin?.on('error', () => undefined) // it need not read what it is given
	child.stdin?.end(input)
	let text = ''
	const address = new Promise<string>((resolve, reject) => {
		const take = (chunk: Buffer): void => {
			text += chunk.toString()
			const match = /^Kubetape .*at (http:\/\/[\w.:]+)$/m.exec(text)
			if (match?.[1]) resolve(match[1])
		}
		child.stdout?.on('data', take)
		child.stderr?.on('data', take)
		child.on('exit', (code) => reject(new Error(`the program ended with ${code}: ${text}`)))
	})
	address.catch(() => undefined) // asked for by some tests only
	const exited = new Promise<number | null>((resolve) => {
		child.on('exit', (code) => resolve(code))
	})
	return { process: child, output: () => text, exited, address }
}

/** Programs that end with the test at the latest. */
export class Programs implements AsyncDisposable {
	readonly #running = new Set<Program>()

	start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Program {
		const program = startProgram(args, environment)
		this.#running.add(program)
		return program
	}

	/** Its exit status; null where the signal ended it. */
	async end(program: Program, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
		program.process.kill(signal)
		const status = await program.exited
		this.#running.delete(program)
		return status
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all([...this.#running].map((program) => this.end(program, 'SIGKILL')))
	}
}

/** A folder for the test, removed afterwards. */
export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
	const path = mkdtempSync(join(tmpdir(), `kubetape-${name}-`))
	return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

const shown = (answer: unknown): string => inspect(answer, { depth: 6, breakLength: Number.POSITIVE_INFINITY }).slice(0, 500)

/** Asks again until `ready` says so, or fails after `ms` with the last answer. What fails to answer is asked again too. */
export async function eventually<T>(ask: () => Promise<T>, ready: (answer: T) => boolean, ms = 60_000): Promise<T> {
	const end = performance.now() + ms
	for (;;) {
		const isLast = performance.now() > end
		try {
			const answer = await ask()
			if (ready(answer)) return answer
			if (isLast) throw new Error(`not within ${ms} ms; the last answer: ${shown(answer)}`)
		} catch (error) {
			if (isLast) throw error
		}
		await new Promise((resolve) => {
			setTimeout(resolve, 50)
		})
	}
}

export async function getJson<T>(address: string, path: string): Promise<T> {
	const response = await fetch(address + path)
	if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
	return (await response.json()) as T
}
