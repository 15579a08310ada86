// Below which key the API server of a recording kept its objects (`--etcd-prefix`): found from the keys themselves.
import { readChunks } from '#collectors/tail/chunks.ts'
import { LineSplitter } from '#collectors/tail/lines.ts'
import { readEtcdLine } from './etcd-line.ts'
import { lineBytesMax } from './source.ts'

export const defaultPrefix = '/registry/'

/** Folders that every API server has, whatever the prefix (kubernetes pkg/registry). */
const folders = new Set([
	'apiregistration.k8s.io',
	'clusterrolebindings',
	'clusterroles',
	'configmaps',
	'deployments',
	'events',
	'flowschemas',
	'leases',
	'masterleases',
	'minions',
	'namespaces',
	'pods',
	'priorityclasses',
	'ranges',
	'replicasets',
	'secrets',
	'serviceaccounts',
	'services',
])
const linesMax = 2000

/** The prefix that most of the first keys have before such a folder, with `/` at its end; the default where none has one. */
export async function prefixOf(path: string): Promise<string> {
	const found = new Map<string, number>()
	const splitter = new LineSplitter({ lineBytesMax })
	let lines = 0
	try {
		reading: for await (const chunk of readChunks(path)) {
			for (const line of splitter.push(chunk)) {
				if (++lines > linesMax) break reading
				const read = readEtcdLine(line.bytes)
				const prefix = typeof read === 'string' ? undefined : candidateOf(read.event.key)
				if (prefix !== undefined) found.set(prefix, (found.get(prefix) ?? 0) + 1)
			}
		}
	} catch {
		// A file that breaks off is told by who reads it to the end.
	}
	const [best] = [...found].toSorted((a, b) => b[1] - a[1])
	return best?.[0] ?? defaultPrefix
}

/** What stands before the first folder that is known; a prefix has one or two parts. */
function candidateOf(key: string): string | undefined {
	const parts = key.split('/')
	const at = parts.findIndex((part, index) => index > 0 && index < 4 && folders.has(part))
	return at > 0 && parts.length > at + 1 ? `${parts.slice(0, at).join('/')}/` : undefined
}
