// The questions to a running server: timeline, history, diff, state, audit, logs, coverage; those about lists of things are in register-lists.ts.
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { WireCoverage, WireDiff, WireItem, WireState, WireVersion } from '#api/wire.ts'
import { createClient, type Client, type Parameters } from './client.ts'
import { chronological, clusterOf, limitOf, list, parametersOf, range, withCommon, type Common, type Filters } from './common.ts'
import { registerLogs } from './logs.ts'
import { historyPath, parseObjectArgument } from './object-argument.ts'
import { tableText, write, type Io } from './output.ts'
import { registerClusters, registerObjectList, registerTop } from './register-lists.ts'
import { formatTable } from './table.ts'
import { auditTable, diffText, gapTable, historyTable, itemColumns, itemRow, rangeTable } from './views.ts'

const auditFilters: Filters = {
	user: 'user name',
	verb: 'verb',
	resource: 'resource',
	subresource: 'subresource',
	name: 'name of the object',
	code: 'HTTP status',
	decision: 'allow or forbid',
	sourceIP: 'address',
	userAgent: 'client',
}
const timelineFilters: Filters = {
	kind: 'kind or resource',
	name: 'name of the object',
	uid: 'UID',
	include: 'changes,events,audit,logs',
	q: 'full text',
	severity: 'normal, warning or error',
}

/** Items as they arrive, one line each (JSON: one object a line; YAML: one document each), until interrupted. */
async function follow(io: Io, client: Client, flags: Common, parameters: Parameters, line: (item: WireItem) => string): Promise<void> {
	const stop = new AbortController()
	const interrupt = (): void => stop.abort()
	// A terminal's, and that the program which started this one is gone.
	process.once('SIGINT', interrupt)
	process.once('disconnect', interrupt)
	try {
		for await (const item of client.follow<WireItem>('/api/v1/stream', parameters, stop.signal)) {
			io.stdout(flags.output === 'json' ? `${JSON.stringify(item)}\n` : flags.output === 'yaml' ? `---\n${stringify(item)}` : line(item))
		}
	} catch (error) {
		if (!stop.signal.aborted) throw error
	} finally {
		process.removeListener('SIGINT', interrupt)
		process.removeListener('disconnect', interrupt)
	}
}

function registerLists(program: Command, io: Io): void {
	const add = (
		name: string,
		description: string,
		filters: Filters,
		followed: boolean,
		path: string,
		table: (items: readonly WireItem[]) => string,
		line: (item: WireItem) => string,
	): void => {
		const command = withCommon(program.command(name).description(description), { ...filters, ...range }).option(
			'--limit <n>',
			'at most so many, the newest',
			'100',
		)
		if (name === 'timeline')
			command.option('--owner', 'include what the selected objects own').option('--noise', 'also renewed Leases and expired Events')
		if (name === 'audit') command.option('--stages', 'one line for each stage; without it, one for each request')
		if (followed) command.option('-f, --follow', 'go on with what is stored from now on')
		if (name === 'audit') registerTop(command, io, filters)
		command.action(async (flags: Common) => {
			const client = createClient(flags.server)
			const collapse = name === 'audit' ? { collapse: flags['stages'] !== true } : {}
			const extra = { owner: flags['owner'], noise: flags['noise'], ...collapse }
			const parameters = { ...parametersOf(flags, { ...filters, ...range }), ...extra }
			if (flags.follow) return follow(io, client, flags, parameters, line)
			const page = chronological(await list<WireItem>(client, path, parameters, limitOf(flags)))
			write(io, flags.output, page, () => table(page.items))
			if (page.next !== null && flags.output === 'table')
				io.stderr(`there is more: raise --limit above ${page.items.length}, or narrow with --from and --to\n`)
		})
	}
	const row = (item: WireItem): string => formatTable(itemColumns, [itemRow(item)], io.columns ?? 0, false)
	add(
		'timeline',
		'what happened',
		timelineFilters,
		true,
		'/api/v1/timeline',
		(items) => tableText(io, { columns: itemColumns, rows: items.map(itemRow) }),
		row,
	)
	add(
		'audit',
		'who asked the API server for what',
		{ ...auditFilters, q: 'full text' },
		false,
		'/api/v1/audit',
		(items) => tableText(io, auditTable(items)),
		row,
	)
}

function registerObjects(program: Command, io: Io): void {
	const forObject = (name: string, description: string, filters: Filters): Command =>
		withCommon(
			program
				.command(name)
				.argument('<object...>', 'deployment/checkout, deployments.apps/checkout or pod checkout-abc')
				.description(description),
			filters,
		)
	const pathOf = async (client: Client, words: readonly string[], flags: Common): Promise<string> => {
		const object = parseObjectArgument(words)
		return historyPath(await clusterOf(client, flags), object, flags.namespace ?? '')
	}
	forObject('history', 'the versions of one object', range)
		.option('--limit <n>', 'at most so many, the newest', '100')
		.action(async (words: string[], flags: Common) => {
			const client = createClient(flags.server)
			const page = chronological(
				await list<WireVersion>(
					client,
					await pathOf(client, words, flags),
					{ from: flags['from'], to: flags['to'], order: 'desc' },
					limitOf(flags),
				),
			)
			write(io, flags.output, page, () => tableText(io, historyTable(page.items)))
		})
	forObject('diff', 'what differs between two versions of one object', {
		from: 'revision or time; the version before --to if absent',
		to: 'revision or time; the latest if absent',
	}).action(async (words: string[], flags: Common) => {
		const client = createClient(flags.server)
		const diff = await client.get<WireDiff>(`${await pathOf(client, words, flags)}/diff`, { from: flags['from'], to: flags['to'] })
		write(io, flags.output, diff, () => diffText(diff))
	})
	forObject('state', 'one object as it was', { at: 'revision or time; the latest if absent' }).action(
		async (words: string[], flags: Common) => {
			const client = createClient(flags.server)
			const state = await client.get<WireState>(`${await pathOf(client, words, flags)}/state`, { at: flags.at })
			// An object is best read as YAML: it is what a table would be for a list.
			write(io, flags.output, state.body, () =>
				state.body === null
					? `${state.item.operation === 'deleted' ? `deleted at ${state.item.time}` : 'its value cannot be read'}\n`
					: stringify(state.body),
			)
		},
	)
}

/** `output.columns` absent: the width of this process' terminal, if it has one. */
export function registerQueries(program: Command, output: Io): void {
	const io: Io = {
		stdout: (text) => output.stdout(text),
		stderr: (text) => output.stderr(text),
		columns: output.columns ?? process.stdout.columns ?? 0,
	}
	// What follows the name of a command belongs to that command.
	program.enablePositionalOptions()
	registerLists(program, io)
	registerLogs(program, io)
	registerObjects(program, io)
	registerObjectList(program, io)
	registerClusters(program, io)
	withCommon(program.command('coverage').description('what was seen whole, and what is missing'), range).action(async (flags: Common) => {
		const client = createClient(flags.server)
		const cluster = await clusterOf(client, flags)
		const coverage = await client.get<WireCoverage>('/api/v1/coverage', { cluster, from: flags['from'], to: flags['to'] })
		write(io, flags.output, coverage, () => {
			const gaps = coverage.gaps.length === 0 ? 'no gaps\n' : tableText(io, gapTable(coverage))
			return `${tableText(io, rangeTable(coverage))}\n${gaps}${coverage.rejects} rejected\n`
		})
	})
}
