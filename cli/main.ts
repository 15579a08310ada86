// The command line: roles, check-config, and the questions to a running server.
import { Command, CommanderError } from 'commander'
import { errorRegistry, KubetapeError, messageOf } from '#runtime/errors.ts'
import { registerQueries } from './queries/register.ts'
import { registerRoles } from './commands.ts'
import { version } from './version.ts'

function createProgram(): Command {
	const program = new Command('kubetape')
	program
		.description('The flight recorder for Kubernetes: what changed, who changed it, what broke.')
		.version(version)
		.exitOverride()
		.showHelpAfterError(false)
		.configureOutput({ outputError: (text, write) => write(`kubetape: ${oneLine(text.replace(/^error: /, ''))}\n`) })
	registerRoles(program)
	registerQueries(program, { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) })
	return program
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ')

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
