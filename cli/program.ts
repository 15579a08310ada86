// The command line: roles, check-config, and the questions to a running server. docs/reference/cli.md is made of these declarations.
import { Command } from 'commander'
import { registerRoles } from './commands.ts'
import { registerQueries } from './queries/register.ts'
import { version } from './version.ts'

export const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ')

export function createProgram(): Command {
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
