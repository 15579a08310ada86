// Servers of a test go when the test does, also when its process was killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * A shell that waits for its standard input to end, which it does at the latest when this process is gone, however it went; then it runs
 * `command`, which takes down what was started in `dir`, and removes that folder. The answer brings this about, and resolves when it is done.
 */
export function armStop(dir: string, command: readonly string[], env: NodeJS.ProcessEnv): () => Promise<void> {
	const guard = spawn('bash', ['-c', 'cat >/dev/null; "$@" >/dev/null 2>&1; rm -rf "$0"', dir, ...command], {
		detached: true,
		stdio: ['pipe', 'ignore', 'ignore'],
		env,
	})
	const ended = once(guard, 'exit')
	guard.unref()
	return async () => {
		guard.ref()
		guard.stdin.end()
		await ended
	}
}
