// The commands that run something here: all-in-one, the roles apart, check-config.
import { type Command, Option } from 'commander'
import { auditFormats } from '#collectors/audit/envelopes.ts'
import { checkConfigFile, runAllInOne, runImport, runRole, type Flags, type ImportFlags } from './run.ts'
import type { RoleName } from './roles/context.ts'

export function registerRoles(program: Command): void {
	const common = (command: Command): Command =>
		command
			.option('--config <file>', 'YAML configuration (docs/reference/configuration.md)')
			.option('--data-dir <dir>', 'where everything is kept (default .kubetape)')
	const port = new Option('--port <n>', 'port of the page and the API (default 8480; 0 takes a free one)')
	common(program.command('all-in-one'))
		.description('record, process and serve in one process')
		.addOption(port)
		.option('--demo', 'the recorded incident that ships with the project')
		.option('--replay <dir>', 'a recording (docs/reference/recording.md)')
		.option('--speed <n>', 'of a recording: 1 as it was, N times faster, or max (default max)')
		.option('--kubeconfig <file>', 'the cluster to record, read-only (default: KUBECONFIG, then ~/.kube/config)')
		.option('--context <name>', 'context of the kubeconfig')
		.action((flags: Flags) => runAllInOne(flags))
	const descriptions: Readonly<Record<RoleName, string>> = {
		collect: 'record the configured sources into the record log',
		process: 'describe, enrich and store what was recorded',
		serve: 'serve the API and the page',
	}
	for (const role of Object.keys(descriptions) as RoleName[]) {
		const command = common(program.command(role)).description(descriptions[role])
		if (role === 'serve') command.addOption(port)
		command.action((flags: Flags) => runRole(role, flags))
	}
	common(program.command('import'))
		.argument('<path...>', 'recordings (folders), files of audit entries, plain or gzip, and - for standard input')
		.option('--cluster <name>', 'cluster that they belong to (default: the name of the folder or file)')
		.addOption(
			new Option('--format <name>', 'of files of audit entries: as the API server writes them (JSON or legacy), or as a cloud exports them')
				.choices(auditFormats)
				.default('auto'),
		)
		.description('take recordings and audit entries into the store, once, and end')
		.action((given: string[], flags: ImportFlags) => runImport(given, flags))
	program
		.command('check-config')
		.argument('<file>')
		.description('read a configuration and say whether it is right; needs no network')
		.action((file: string) => checkConfigFile(file))
}
