// Questions about lists of things: clusters, objects as of a time, the most frequent values of the audit log.
import { Option, type Command } from 'commander'
import type { WireCluster, WirePage, WireState } from '#api/wire.ts'
import { createClient } from './client.ts'
import { clusterOf, limitOf, list, parametersOf, range, withCommon, type Common, type Filters } from './common.ts'
import { tableText, write, type Io } from './output.ts'
import { clusterTable, objectTable, topTable } from './views.ts'

const topFields = ['user', 'verb', 'resource', 'namespace', 'code', 'userAgent', 'sourceIP'] as const

/** `kubetape audit top`. */
export function registerTop(audit: Command, io: Io, filters: Filters): void {
	// What follows `top` belongs to it, though `audit` has options of the same names.
	audit.enablePositionalOptions()
	withCommon(audit.command('top').description('the most frequent values of one field'), { ...filters, ...range })
		.addOption(new Option('--by <field>', 'what to count by').choices(topFields).makeOptionMandatory())
		.option('--limit <n>', 'how many values', '20')
		.action(async (flags: Common) => {
			const parameters = { ...parametersOf(flags, { ...filters, ...range }), by: flags['by'], limit: limitOf(flags) }
			const page = await createClient(flags.server).get<WirePage<{ value: string; count: number }>>('/api/v1/audit/top', parameters)
			write(io, flags.output, page, () => tableText(io, topTable(page.items, String(flags['by']))))
		})
}

const selectors: Filters = {
	labelSelector: 'labels, as kubectl takes them: app=web,tier!=cache',
	fieldSelector: 'fields, at any path: status.phase=Running',
}

/** `kubetape objects KIND [NAME]`. */
export function registerObjectList(program: Command, io: Io): void {
	withCommon(
		program
			.command('objects')
			.argument('<kind>', 'kind, resource or short name: Deployment, deployments.apps, deploy')
			.argument('[name]', 'name of the object')
			.description('the live objects of a kind at a time'),
		selectors,
	)
		.option('--at <at>', 'revision or time; now if absent')
		.option('--limit <n>', 'at most so many', '1000')
		.action(async (kind: string, name: string | undefined, flags: Common) => {
			const client = createClient(flags.server)
			const parameters = { ...parametersOf(flags, selectors), cluster: await clusterOf(client, flags), kind, name, at: flags.at }
			const page = await list<WireState>(client, '/api/v1/objects', parameters, limitOf(flags))
			write(io, flags.output, page, () => tableText(io, objectTable(page.items)))
			if (page.next !== null && flags.output === 'table') io.stderr(`there are more: raise --limit above ${page.items.length}\n`)
		})
}

export function registerClusters(program: Command, io: Io): void {
	withCommon(program.command('clusters').description('what is recorded, and from when to when'), {}, false).action(
		async (flags: Common) => {
			const page = await createClient(flags.server).get<WirePage<WireCluster>>('/api/v1/clusters', {})
			write(io, flags.output, page, () => tableText(io, clusterTable(page.items)))
		},
	)
}
