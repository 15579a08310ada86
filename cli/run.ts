// What the commands run: all-in-one, one role, an import, a look at a configuration.
import { join } from 'node:path'
import type { AuditFormat } from '#collectors/audit/envelopes.ts'
import { readConfigFile, resolveConfig } from '#runtime/config.ts'
import { errorRegistry, isRetryable, KubetapeError, messageOf } from '#runtime/errors.ts'
import { createHealth, type Health } from '#runtime/health.ts'
import { abortOnSignals } from '#runtime/lifecycle.ts'
import { takeLock } from '#runtime/lock.ts'
import { addProcessMetrics } from '#runtime/metrics.ts'
import type { Operations } from '#runtime/operations.ts'
import { checkSettings, checkSources } from './check-config.ts'
import { configSchema, type Config } from './config.ts'
import { preparePage } from './page.ts'
import { allInOne } from './roles/all-in-one.ts'
import { createRoleContext, type RoleContext, type RoleName } from './roles/context.ts'
import { keepHeapsSmall } from './roles/heap.ts'
import { openRoleOperations } from './roles/operations.ts'
import { chooseSource, clusterName, type Source, type SourceFlags } from './sources.ts'

export interface Flags extends SourceFlags {
	readonly config?: string
	readonly dataDir?: string
	readonly port?: string
}

const flagNames = { dataDir: '--data-dir', 'server.port': '--port' }

function portOf(text: string | undefined): number | undefined {
	if (text === undefined) return undefined
	const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
	if (port > 65_535) throw new KubetapeError('CLI_USAGE', `--port ${JSON.stringify(text)}: a number from 0 to 65535`)
	return port
}

/** What is refused beyond the schema is refused in the name of the file, where there is one. */
async function inNameOf<T>(file: string | undefined, check: () => Promise<T> | T): Promise<T> {
	try {
		return await check()
	} catch (error) {
		if (file === undefined || !(error instanceof KubetapeError)) throw error
		throw new KubetapeError(error.code, `${file}: ${error.message}`, { cause: error })
	}
}

async function loadConfig(flags: Flags): Promise<Config> {
	const config = resolveConfig(configSchema, {
		...(flags.config === undefined ? {} : { file: { path: flags.config, tree: readConfigFile(flags.config) } }),
		environment: process.env,
		flags: { dataDir: flags.dataDir, 'server.port': portOf(flags.port) },
		flagNames,
	})
	await inNameOf(flags.config, () => checkSettings(config))
	return config
}

/** What the flags, or the machine, say where the configuration names no cluster. */
async function sourceOf(flags: Flags, config: Config): Promise<Source | undefined> {
	if (config.clusters.length === 0 || flags.demo === true || flags.replay !== undefined) return chooseSource(flags, process.env)
	for (const flag of ['speed', 'kubeconfig', 'context'] as const)
		if (flags[flag] !== undefined) throw new KubetapeError('CLI_USAGE', `--${flag}: the configuration says what is recorded`)
	return undefined
}

export async function runAllInOne(flags: Flags): Promise<void> {
	const { signal } = abortOnSignals()
	const named = await loadConfig(flags)
	const source = await sourceOf(flags, named)
	const chosen: Config = source
		? resolveConfig(configSchema, { flags: { ...named, dataDir: join(named.dataDir, source.subfolder), clusters: [source.cluster] } })
		: named
	const config = await inNameOf(flags.config, () => checkSources(chosen))
	const webRoot = await preparePage(signal)
	if (signal.aborted) return
	using _lock = takeLock(config.dataDir, 'all-in-one')
	using _collect = takeLock(config.dataDir, 'collect')
	using _process = takeLock(config.dataDir, 'process')
	const title = source?.title ?? config.clusters.map((cluster) => cluster.name).join(', ')
	const onReady = (address: string): void => {
		process.stdout.write(`Kubetape shows ${title} at ${address}\n`)
	}
	await allInOne(config, { onReady, ...(webRoot === undefined ? {} : { webRoot }) }, signal)
}

/** State of a role that runs alone: to its own log where it changes, and to whoever asks. */
function aloneContext(role: RoleName, config: Config): { context: RoleContext; health: Health } {
	const health = createHealth()
	const told = new Map<string, string>()
	const context = createRoleContext(role, config, (name, ok, message) => {
		health.set(name, ok, message)
		// The role's own words; of what it depends on, whether it answers.
		const now = name === role ? message : String(ok)
		const before = told.get(name) ?? (name === role ? '' : 'true')
		if (now !== before) context.logger.info({ ok }, `${name}: ${message}`)
		told.set(name, now)
	})
	return { context, health }
}

/** Longest that a role may take to end in order; Kubernetes waits 30 s. What is not committed then is read again. */
const drainMs = 20_000

/** How long something that is left open (a connection that hangs) may keep the process alive behind the end of its role. */
const leaveMs = 1000

/** Ends the process where the role has not ended in time after the signal. */
function endInTime(signal: AbortSignal, role: RoleName): void {
	const late = (): void => {
		process.stderr.write(`kubetape: ${role} has not ended within ${drainMs / 1000} s of being told to: it is ended [CLI_INTERRUPTED]\n`)
		process.exit(errorRegistry.CLI_INTERRUPTED.exit)
	}
	signal.addEventListener('abort', () => setTimeout(late, drainMs).unref(), { once: true })
}

/** Behind the end of a role: everything that matters is closed. */
const leaving: Disposable = { [Symbol.dispose]: () => void setTimeout(() => process.exit(), leaveMs).unref() }

async function runServe(context: RoleContext, operations: Operations, signal: AbortSignal): Promise<void> {
	const webRoot = await preparePage(signal)
	if (signal.aborted) return
	const { serve } = await import('./roles/serve.ts')
	const onListening = (address: string): void => {
		process.stdout.write(`Kubetape is at ${address}\n`)
	}
	const options = { ...operations, onListening }
	await serve(context, webRoot === undefined ? options : { ...options, webRoot }, signal)
}

export async function runRole(role: RoleName, flags: Flags): Promise<void> {
	const { signal } = abortOnSignals()
	const named = await loadConfig(flags)
	const config = role === 'collect' ? await inNameOf(flags.config, () => checkSources(named)) : named
	const { context, health } = aloneContext(role, config)
	addProcessMetrics(context.metrics)
	endInTime(signal, role)
	using _leaving = leaving
	const operations: Operations = { metrics: () => context.metrics.registry.metrics(), health: () => health.report() }
	if (role === 'serve') return await runServe(context, operations, signal)
	using _lock = takeLock(config.dataDir, role)
	await using _operations = await openRoleOperations(context, operations)
	try {
		// On every node beside its load.
		if (role === 'collect') keepHeapsSmall()
		if (role === 'collect') await (await import('./roles/collect.ts')).collect(context, signal)
		else await (await import('./roles/process.ts')).process_(context, signal)
	} catch (error) {
		// What was handed over is durable, and what was not is read again: told to end, a role need not wait for a storage that is away.
		if (!signal.aborted || !isRetryable(error)) throw error
		context.logger.warn({ error: messageOf(error) }, 'ended while something did not answer: it is gone on with at the next start')
	}
}

export interface ImportFlags extends Flags {
	readonly cluster?: string
	readonly format: AuditFormat
}

export async function runImport(given: readonly string[], flags: ImportFlags): Promise<void> {
	const { signal } = abortOnSignals()
	const config = await loadConfig(flags)
	if (flags.cluster !== undefined && clusterName(flags.cluster) !== flags.cluster)
		throw new KubetapeError('CLI_USAGE', `--cluster ${flags.cluster}: letters, digits, dots, hyphens and underscores`)
	const { context } = aloneContext('collect', config)
	using _collect = takeLock(config.dataDir, 'collect')
	using _process = takeLock(config.dataDir, 'process')
	const { importPaths } = await import('./roles/import.ts')
	const { format, cluster } = flags
	const { counts, clusters, others } = await importPaths(context, { given, cluster, format, standardInput: process.stdin }, signal)
	const passed = [...others].map(([what, count]) => `${count} of ${what}`)
	const read = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`)
	process.stdout.write(
		`imported into ${config.dataDir} as ${clusters.join(', ')}: ${read.join(', ') || 'nothing that was not there'}\n${passed.length === 0 ? '' : `passed over, being no audit entries: ${passed.join(', ')}\n`}see it with: kubetape serve --data-dir ${config.dataDir}\n`,
	)
}

export async function checkConfigFile(file: string): Promise<void> {
	const config = await loadConfig({ config: file })
	await inNameOf(file, () => checkSources(config))
	process.stdout.write(`${file}: right\n`)
}
