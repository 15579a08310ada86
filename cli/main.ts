// The program: runs the command, and ends with the exit status of what went wrong.
import { CommanderError } from 'commander'
import { errorRegistry, KubetapeError, messageOf } from '#runtime/errors.ts'
import { createProgram, oneLine } from './program.ts'

/** One line on standard error; the exit status of the error's code. */
function fail(error: unknown): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorRegistry.CLI_USAGE.exit
	if (error instanceof KubetapeError && error.code !== 'INTERNAL') {
		process.stderr.write(`kubetape: ${oneLine(error.message)} [${error.code}]\n`)
		return errorRegistry[error.code].exit
	}
	const stack =
		error instanceof KubetapeError && typeof error.details['stack'] === 'string'
			? error.details['stack']
			: error instanceof Error
				? error.stack
				: ''
	process.stderr.write(`kubetape: a defect in the program: ${messageOf(error)}\n${stack ?? ''}\n`)
	return errorRegistry.INTERNAL.exit
}

try {
	await createProgram().parseAsync(process.argv)
} catch (error) {
	process.exitCode = fail(error)
}
