// The command line: roles, check-config, setup, and the questions to a running server. docs/reference/cli.md is made of these declarations.
import { Command } from 'commander'
import { registerRoles } from './commands.ts'
import type { Io } from './queries/output.ts'
import { registerQueries } from './queries/register.ts'
import { registerSetup } from './setup/register.ts'
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
	const io: Io = { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) }
	registerSetup(program, io)
	registerQueries(program, io)
	return program
}
