// The reference page of the command line, from commander's own declarations.
import type { Argument, Command, Option } from 'commander'

const cell = (text: string): string => text.replaceAll('|', '\\|')

function optionRow(option: Option): string {
	const choices = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`
	const standard = option.defaultValue === undefined ? '' : `\`${String(option.defaultValue)}\``
	return `| \`${cell(option.flags)}\` | ${cell(`${option.description}${choices}${option.mandatory ? ' (needed)' : ''}`)} | ${standard} |`
}

function argumentText(argument: Argument): string {
	const name = `${argument.name()}${argument.variadic ? '…' : ''}`
	return argument.required ? `<${name}>` : `[${name}]`
}

function sections(command: Command, before: string): readonly string[] {
	const name = `${before} ${command.name()}`
	const usage = [name, ...command.registeredArguments.map(argumentText), ...(command.options.length > 0 ? ['[options]'] : [])].join(' ')
	const about = command.registeredArguments.flatMap((argument) =>
		argument.description === '' ? [] : [`- \`${argument.name()}\`: ${argument.description}`],
	)
	const options =
		command.options.length === 0 ? [] : [`| option | meaning | default |\n|---|---|---|\n${command.options.map(optionRow).join('\n')}\n`]
	const own = [
		`## ${name}\n`,
		`\`${usage}\`\n`,
		`${command.description()}\n`,
		...(about.length === 0 ? [] : [`${about.join('\n')}\n`]),
		...options,
	]
	return [own.join('\n'), ...command.commands.flatMap((inner) => sections(inner, name))]
}

export function cliPage(program: Command, notice: string): string {
	const exits = 'Exit status: 0 done · 1 the answer is "no" (nothing by that name) · 2 used wrongly · 3 could not run.'
	const commands = program.commands.flatMap((command) => sections(command, program.name()))
	return `# Command line\n\n${notice}\n\n\`npx ${program.name()} COMMAND\`; \`--help\` works everywhere. What goes wrong is one line on standard error, with a code of errors.md.\n\n${exits}\n\n${commands.join('\n')}`
}
