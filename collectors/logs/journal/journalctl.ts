// journalctl as a source: one process that prints entries and goes on with those that come, and short ones that are asked whether an entry is there still.
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import type { JournaldConfig } from '#collectors/logs/config.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { entryFields, type Cursor } from './entry.ts'

/** Of what it says on standard error, the last characters are kept. */
const saidMax = 2000
const askMs = 30_000
const execute = promisify(execFile)

/** `--merge`: without it, `--follow` leaves out every boot but the last one (journalctl.c). `--all`: without it, fields above 4,096 bytes are null. */
function argumentsOf(config: JournaldConfig, cursor: Cursor | undefined, fields: readonly string[]): string[] {
	return [
		'--output=json',
		'--all',
		'--merge',
		'--no-pager',
		`--output-fields=${fields.join(',')}`,
		...(config.directory === undefined ? [] : [`--directory=${config.directory}`]),
		...(cursor ? [`--cursor=${cursor.text}`] : []),
	]
}

export interface Following extends AsyncDisposable {
	/** Entries, one a line. Where it is not read, journalctl waits. */
	readonly output: Readable
	/** Nothing is there that was not read yet. */
	readonly isIdle: boolean
	/** When it has ended: what it says of it. */
	ended(): Promise<KubetapeError>
}

/**
 * Everything in the journal from the cursor's entry on, which comes first where it is there still, and then what is written. It is `--cursor` and not `--after-cursor`, because
 * the latter leaves out an entry that was not read where the cursor's is gone.
 */
export function follow(config: JournaldConfig, cursor: Cursor | undefined, signal: AbortSignal): Following {
	const units = config.units.map((unit) => `--unit=${unit}`)
	const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
		config.program,
		[...argumentsOf(config, cursor, entryFields), '--follow', '--no-tail', ...units],
		{ stdio: ['ignore', 'pipe', 'pipe'] },
	)
	let stderr = ''
	child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-saidMax)))
	const end = (): void => void child.kill('SIGTERM')
	signal.addEventListener('abort', end, { once: true })
	const closed = new Promise<KubetapeError>((resolve) => {
		child.once('error', (error: NodeJS.ErrnoException) => resolve(cannotRun(config, error)))
		child.once('close', (code, killed) => {
			const how = killed === null ? `with status ${code}` : `by ${killed}`
			resolve(new KubetapeError('JOURNAL_UNAVAILABLE', `journalctl has ended ${how}: ${stderr.trim() || 'it does not say why'}`))
		})
	})
	return {
		output: child.stdout,
		get isIdle() {
			return child.stdout.readableLength === 0
		},
		ended: () => closed,
		async [Symbol.asyncDispose]() {
			signal.removeEventListener('abort', end)
			if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
			child.stdout.destroy()
			child.stderr.destroy()
			await closed
		},
	}
}

/** Whether the entry is in the journal still. Throws JOURNAL_UNAVAILABLE where journalctl does not say. */
export async function hasEntry(config: JournaldConfig, cursor: Cursor, signal: AbortSignal): Promise<boolean> {
	try {
		const { stdout } = await execute(config.program, [...argumentsOf(config, cursor, ['_PID']), '--lines=1'], {
			signal,
			timeout: askMs,
			maxBuffer: 1024 * 1024,
		})
		return stdout.includes(`"${cursor.text}"`)
	} catch (error) {
		throw cannotRun(config, error as NodeJS.ErrnoException)
	}
}

function cannotRun(config: JournaldConfig, error: NodeJS.ErrnoException): KubetapeError {
	const missing = `${config.program} is not there: install it where Kubetape runs (Debian: apt-get install systemd), name it in logs.journald.program, or leave out logs.journald`
	const denied = `${config.program} may not be run: ${error.message}`
	const why = error.code === 'ENOENT' ? missing : error.code === 'EACCES' ? denied : `journalctl failed: ${error.message}`
	return new KubetapeError('JOURNAL_UNAVAILABLE', why, { cause: error })
}
