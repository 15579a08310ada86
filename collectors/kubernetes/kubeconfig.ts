// The kubeconfig: one file or several, merged as kubectl merges them (client-go: tools/clientcmd/loader.go), and whether it names a cluster.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { readConfigFile } from '#runtime/config.ts'
import { KubetapeError } from '#runtime/errors.ts'

/** Where a pod finds its service account. */
const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token'
/** Whether this is a pod that may ask the API server of its own cluster. */
export const isInCluster = (): boolean => existsSync(serviceAccountToken)

type Tree = Readonly<Record<string, unknown>>

export interface Kubeconfig {
	readonly files: readonly string[]
	/** The context in force. */
	readonly context: string
	/** The merged kubeconfig, in the form of its files. */
	readonly tree: Tree
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)
const named = (tree: Tree, list: string): readonly Tree[] => (Array.isArray(tree[list]) ? tree[list].filter(isTree) : [])
const lists = ['clusters', 'users', 'contexts'] as const
const pathKeys = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'] as const

/** Files that exist of a path, or of several joined as in KUBECONFIG. Throws CONFIG_UNREADABLE where none does. */
function existing(paths: string, giver: string): readonly string[] {
	const all = existsSync(paths) ? [paths] : paths.split(delimiter).filter((path) => path !== '')
	const found = all.filter((path) => existsSync(path)).map((path) => resolve(path))
	if (found.length > 0) return found
	throw new KubetapeError(
		'CONFIG_UNREADABLE',
		`${giver}: ${all.join(' and ') || 'no file'} ${all.length > 1 ? 'do' : 'does'} not exist: name a kubeconfig that does${giver === 'KUBECONFIG' ? ', unset KUBECONFIG, or take the recorded incident with --demo' : ''}`,
	)
}

/** `given`: a path or several, of whom `giver` says who gave it; else KUBECONFIG, else ~/.kube/config where it exists. Empty: there is none. Throws CONFIG_UNREADABLE. */
export function kubeconfigFiles(
	given: string | undefined,
	environment: Readonly<Record<string, string | undefined>>,
	giver = 'kubeconfig',
): readonly string[] {
	if (given !== undefined) return existing(given, giver)
	const variable = environment['KUBECONFIG'] ?? ''
	if (variable !== '') return existing(variable, 'KUBECONFIG')
	const usual = join(homedir(), '.kube', 'config')
	return existsSync(usual) ? [usual] : []
}

/** Paths in a file are relative to its folder; a command is only where it has a slash. */
function absolute(entry: Tree, dir: string): Tree {
	const inner = { ...entry }
	for (const key of pathKeys) {
		const path = inner[key]
		if (typeof path === 'string' && path !== '' && !isAbsolute(path)) inner[key] = join(dir, path)
	}
	const { exec } = inner
	if (isTree(exec) && typeof exec['command'] === 'string' && exec['command'].includes('/') && !isAbsolute(exec['command']))
		inner['exec'] = { ...exec, command: join(dir, exec['command']) }
	return inner
}

/** The first file that names something wins. Throws CONFIG_UNREADABLE or CONFIG_INVALID where a file is no kubeconfig, or the context is not in it or has no cluster. */
export function readKubeconfig(files: readonly string[], context?: string): Kubeconfig {
	const merged: Record<(typeof lists)[number], Tree[]> = { clusters: [], users: [], contexts: [] }
	let current = ''
	for (const file of files) {
		const tree = readConfigFile(file)
		if (current === '' && typeof tree['current-context'] === 'string') current = tree['current-context']
		for (const list of lists) {
			for (const entry of named(tree, list)) {
				if (merged[list].some((known) => known['name'] === entry['name'])) continue
				const key = list.slice(0, -1)
				merged[list].push(isTree(entry[key]) ? { ...entry, [key]: absolute(entry[key], dirname(file)) } : entry)
			}
		}
	}
	const chosen = context ?? current
	const where = files.join(' and ')
	const contexts = merged.contexts.map((entry) => String(entry['name']))
	const found = merged.contexts.find((entry) => entry['name'] === chosen)
	if (!found) {
		const known = contexts.length === 0 ? 'it has none' : `known: ${contexts.slice(0, 20).join(', ')}`
		throw new KubetapeError(
			'CONFIG_UNREADABLE',
			chosen === '' ? `${where}: no current-context: choose one (${known})` : `${where}: no context ${JSON.stringify(chosen)}: ${known}`,
		)
	}
	const cluster = isTree(found['context']) ? found['context']['cluster'] : undefined
	const server = merged.clusters.find((entry) => entry['name'] === cluster)?.['cluster']
	if (!isTree(server) || typeof server['server'] !== 'string' || server['server'] === '')
		throw new KubetapeError('CONFIG_UNREADABLE', `${where}: context ${JSON.stringify(chosen)} names no cluster with a server`)
	return { files, context: chosen, tree: { apiVersion: 'v1', kind: 'Config', ...merged, 'current-context': chosen } }
}
