// A child that acknowledges line by line on its standard output, killed in the middle of its work.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'

/** Runs `file` and kills it as soon as it acknowledged `after` numbers; gives all that it acknowledged. */
export async function runAndKill(
	file: string,
	args: readonly string[],
	after: number,
): Promise<{ readonly acknowledged: readonly number[]; readonly stderr: string }> {
	const running = spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning', file, ...args],
		{ stdio: ['ignore', 'pipe', 'pipe'] },
	)
	let stdout = ''
	let stderr = ''
	running.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
	running.stdout.on('data', (chunk: Buffer) => {
		stdout += chunk.toString()
		if (stdout.split('\n').length > after) running.kill('SIGKILL')
	})
	const [, signal] = (await once(running, 'close')) as [number | null, string | null]
	expect(signal, `stderr: ${stderr}`).toBe('SIGKILL')
	// The last line may be cut by the kill: it was not acknowledged in full.
	return { acknowledged: stdout.split('\n').slice(0, -1).map(Number), stderr }
}
