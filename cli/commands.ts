// The commands that run something here: all-in-one, the roles apart, check-config.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, Option } from 'commander'
import { readConfigFile, resolveConfig } from '#runtime/config.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { createHealth } from '#runtime/health.ts'
import { abortOnSignals } from '#runtime/lifecycle.ts'
import { takeLock } from '#runtime/lock.ts'
import { configSchema, type Config } from './config.ts'
import { allInOne } from './roles/all-in-one.ts'
import { createRoleContext, type RoleContext, type RoleName } from './roles/context.ts'
import { chooseSource, clusterName, type SourceFlags } from './sources.ts'

interface Flags extends SourceFlags {
	readonly config?: string
	readonly dataDir?: string
	readonly port?: string
}

function loadConfig(flags: Flags, extra: Readonly<Record<string, unknown>>): Config {
	const port = flags.port === undefined ? undefined : Number(flags.port)
	if (port !== undefined && !Number.isInteger(port)) throw new KubetapeError('CLI_USAGE', `--port ${flags.port}: a number from 0 to 65535`)
	return resolveConfig(configSchema, {
		...(flags.config === undefined ? {} : { file: { path: flags.config, tree: readConfigFile(flags.config) } }),
		environment: process.env,
		flags: { dataDir: flags.dataDir, 'server.port': port, ...extra },
	})
}

/** Builds the page if its sources are newer than what was built: in a process of its own, whose memory goes with it. Undefined where it cannot be built. */
function preparePage(): string | undefined {
	const build = fileURLToPath(new URL('../dashboards/web/build.ts', import.meta.url))
	const result = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', build], { stdio: ['ignore', 'ignore', 'inherit'] })
	const dist = fileURLToPath(new URL('../dashboards/web/dist', import.meta.url))
	if (result.status === 0 && existsSync(join(dist, 'index.html'))) return dist
	process.stderr.write('kubetape: the page could not be built: the API is served without it\n')
	return undefined
}

async function runAllInOne(flags: Flags): Promise<void> {
	const named = loadConfig(flags, {})
	const source =
		named.clusters.length > 0 && flags.demo !== true && flags.replay === undefined ? undefined : await chooseSource(flags, process.env)
	const config: Config = source
		? resolveConfig(configSchema, { flags: { ...named, dataDir: join(named.dataDir, source.subfolder), clusters: [source.cluster] } })
		: named
	const webRoot = preparePage()
	using _lock = takeLock(config.dataDir, 'all-in-one')
	using _collect = takeLock(config.dataDir, 'collect')
	using _process = takeLock(config.dataDir, 'process')
	const title = source?.title ?? config.clusters.map((cluster) => cluster.name).join(', ')
	const onListening = (address: string): void => {
		process.stdout.write(`Kubetape shows ${title} at ${address}\n`)
	}
	await allInOne(config, { onListening, ...(webRoot === undefined ? {} : { webRoot }) }, abortOnSignals().signal)
}

/** State of a role that runs alone: to its own log. */
function aloneContext(role: RoleName, config: Config): { context: RoleContext; health: ReturnType<typeof createHealth> } {
	const health = createHealth()
	const context = createRoleContext(role, config, (ok, message) => {
		health.set(role, ok, message)
		context.logger.info({ ok }, message)
	})
	return { context, health }
}

async function runRole(role: RoleName, flags: Flags): Promise<void> {
	const config = loadConfig(flags, {})
	const { context, health } = aloneContext(role, config)
	const { signal } = abortOnSignals()
	if (role === 'serve') {
		const webRoot = preparePage()
		const { serve } = await import('./roles/serve.ts')
		const onListening = (address: string): void => {
			process.stdout.write(`Kubetape is at ${address}\n`)
		}
		const options = { metrics: () => context.metrics.registry.metrics(), health: () => health.report(), onListening }
		await serve(context, webRoot === undefined ? options : { ...options, webRoot }, signal)
		return
	}
	using _lock = takeLock(config.dataDir, role)
	if (role === 'collect') await (await import('./roles/collect.ts')).collect(context, signal)
	else await (await import('./roles/process.ts')).process_(context, signal)
}

async function runImport(given: readonly string[], flags: Flags & { readonly cluster?: string }): Promise<void> {
	const config = loadConfig(flags, {})
	if (flags.cluster !== undefined && clusterName(flags.cluster) !== flags.cluster)
		throw new KubetapeError('CLI_USAGE', `--cluster ${flags.cluster}: letters, digits, dots, hyphens and underscores`)
	const { context } = aloneContext('collect', config)
	using _collect = takeLock(config.dataDir, 'collect')
	using _process = takeLock(config.dataDir, 'process')
	const { importPaths } = await import('./roles/import.ts')
	const { counts, clusters } = await importPaths(context, given, flags.cluster, abortOnSignals().signal)
	const read = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`)
	process.stdout.write(
		`imported into ${config.dataDir} as ${clusters.join(', ')}: ${read.join(', ') || 'nothing that was not there'}\nsee it with: kubetape serve --data-dir ${config.dataDir}\n`,
	)
}

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
		.argument('<path...>', 'recordings (folders) and files of audit events, one JSON object a line, plain or packed')
		.option('--cluster <name>', 'cluster that they belong to (default: the name of the folder or file)')
		.description('take recordings and audit files into the store, once, and end')
		.action((given: string[], flags: Flags & { readonly cluster?: string }) => runImport(given, flags))
	program
		.command('check-config')
		.argument('<file>')
		.description('read a configuration and say whether it is right; needs no network')
		.action((file: string) => {
			resolveConfig(configSchema, { file: { path: file, tree: readConfigFile(file) }, environment: process.env })
			process.stdout.write(`${file}: right\n`)
		})
}
