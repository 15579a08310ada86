// What the questions have in common: their options, the parameters made of them, pages, and the cluster that is meant.
import { Option, type Command } from 'commander'
import type { WireCluster, WirePage } from '#api/wire.ts'
import { KubetapeError } from '#runtime/errors.ts'
import type { Client, Parameters } from './client.ts'
import type { Format } from './output.ts'

const pageItemsMax = 1000

export interface Common {
	readonly server: string
	readonly output: Format
	readonly cluster?: string
	readonly namespace?: string
	readonly limit?: string
	readonly follow?: boolean
	readonly at?: string
	readonly [filter: string]: string | boolean | undefined
}

/** Options that are a parameter of the API by the same name. */
export type Filters = Readonly<Record<string, string>>
export const range: Filters = { from: 'begin: RFC 3339 or now-15m', to: 'end' }

const kebab = (name: string): string => name.replaceAll(/(IP|[A-Z])/g, (part) => `-${part.toLowerCase()}`)
/** commander's own camel case of a flag: `--source-ip` is `sourceIp`. */
const attribute = (name: string): string => kebab(name).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

/** `ofCluster` false: the question is not about one cluster. `short`: flags of one letter, by filter. */
export function withCommon(command: Command, filters: Filters, ofCluster = true, short: Filters = {}): Command {
	command
		.addOption(new Option('--server <url>', 'the server to ask').default('http://127.0.0.1:8480'))
		.addOption(new Option('-o, --output <format>', 'form of the answer').choices(['table', 'json', 'yaml']).default('table'))
	if (ofCluster)
		command.option('--cluster <name>', 'cluster (the only one, if there is but one)').option('-n, --namespace <name>', 'namespace')
	for (const [name, meaning] of Object.entries(filters))
		command.option(`${short[name] ? `${short[name]}, ` : ''}--${kebab(name)} <${kebab(name).split('-').at(-1)}>`, meaning)
	return command
}

export function parametersOf(flags: Common, filters: Filters): Parameters {
	const chosen = Object.keys(filters).map((name) => [name, flags[attribute(name)]] as const)
	return { cluster: flags.cluster, namespace: flags.namespace, ...Object.fromEntries(chosen) }
}

export function limitOf(flags: Common): number {
	const limit = /^\d{1,9}$/.test(flags.limit ?? '100') ? Number(flags.limit ?? '100') : 0
	if (limit < 1) throw new KubetapeError('CLI_USAGE', `--limit ${flags.limit}: a whole number from 1`)
	return limit
}

/** As many items as asked for, page by page. */
export async function list<T>(client: Client, path: string, parameters: Parameters, limit: number): Promise<WirePage<T>> {
	const items: T[] = []
	let cursor: string | null = null
	do {
		const page: WirePage<T> = await client.get(path, {
			...parameters,
			limit: Math.min(pageItemsMax, limit - items.length),
			...(cursor === null ? {} : { cursor }),
		})
		items.push(...page.items)
		cursor = page.next
	} while (cursor !== null && items.length < limit)
	return { items, next: cursor }
}

export async function clusterOf(client: Client, flags: Common): Promise<string> {
	if (flags.cluster) return flags.cluster
	const { items } = await client.get<WirePage<WireCluster>>('/api/v1/clusters', {})
	if (items.length > 1)
		throw new KubetapeError('CLI_USAGE', `--cluster is needed: there are ${items.map((cluster) => cluster.name).join(', ')}`)
	const [only] = items
	if (!only) throw new KubetapeError('NOT_FOUND', 'nothing is recorded yet')
	return only.name
}

/** Newest first from the server; oldest first on a terminal, as a log is read. */
export const chronological = <T>(page: WirePage<T>): WirePage<T> => ({ items: page.items.toReversed(), next: page.next })
