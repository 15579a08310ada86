// An independent witness of a cluster: a raw watch of every resource from the beginning, and each version's JSON text as the API server served it.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Api } from './api.ts'

export interface Witness extends AsyncDisposable {
	/** Text of the version with this revision, as served; undefined where none came. Of a deletion: the last state, with the deletion's revision in it. */
	text(resource: string, namespace: string, name: string, revision: bigint | string): string | undefined
	/** Starts to watch one more resource, in this version; resolves when its first list is whole. */
	follow(group: string, version: string, resource: string): Promise<void>
	/** What went wrong: a watch that ended, a version served twice with two texts. Watches of `mayEnd` resources end with their definition. */
	readonly failures: readonly string[]
	/** Names of the resources watched: `pods`, `deployments.apps`. */
	readonly resources: ReadonlySet<string>
	/** Versions seen. */
	readonly size: number
}

interface Resource {
	readonly name: string
	readonly verbs: readonly string[]
}

const lineEnd = 10
const triesMax = 100
const retryMs = 100
const endOfList = 'k8s.io/initial-events-end'
const head = /^\{"type":"([A-Z]+)","object":/

/** Watches everything that can be listed and watched, in each group's preferred version. `mayEnd`: resources whose definition the test deletes. */
export async function startWitness(api: Api, mayEnd: ReadonlySet<string> = new Set()): Promise<Witness> {
	const texts = new Map<string, string>()
	const failures: string[] = []
	const resources = new Set<string>()
	const open = new Set<IncomingMessage>()
	let closing = false

	const take = (resource: string, line: string): boolean => {
		const type = head.exec(line)?.[1]
		const text = line.slice(line.indexOf('"object":') + '"object":'.length, -1)
		const object = JSON.parse(text) as {
			readonly metadata: {
				readonly name?: string
				readonly namespace?: string
				readonly resourceVersion: string
				readonly annotations?: object
			}
		}
		if (type === 'BOOKMARK') return endOfList in (object.metadata.annotations ?? {})
		if (type === 'ERROR' || type === undefined) throw new Error(line.slice(0, 300))
		const { name = '', namespace = '', resourceVersion } = object.metadata
		const key = `${resource}/${namespace}/${name}@${resourceVersion}`
		const known = texts.get(key)
		if (known !== undefined && known !== text) failures.push(`two texts of ${key}`)
		texts.set(key, text)
		return false
	}

	const read = async (resource: string, answer: IncomingMessage, onListed: () => void): Promise<void> => {
		open.add(answer)
		let rest: Buffer = Buffer.alloc(0)
		try {
			for await (const chunk of answer) {
				rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
				for (let at = rest.indexOf(lineEnd); at >= 0; at = rest.indexOf(lineEnd)) {
					if (take(resource, rest.toString('utf8', 0, at))) onListed()
					rest = rest.subarray(at + 1)
				}
			}
			if (!closing && !mayEnd.has(resource)) failures.push(`the watch of ${resource} ended`)
		} catch (error) {
			if (!closing) failures.push(`the watch of ${resource}: ${String(error)}`)
		} finally {
			open.delete(answer)
		}
	}

	/** A resource that is new is not ready at once: the API server says so by 429. */
	const openWatch = async (path: string): Promise<IncomingMessage> => {
		for (let tries = 0; ; tries += 1) {
			const answer = await api.open(path)
			if (answer.statusCode === 200) return answer
			answer.resume()
			if (answer.statusCode !== 429 || tries === triesMax) throw new Error(`${path}: ${answer.statusCode}`)
			await wait(retryMs)
		}
	}

	const follow: Witness['follow'] = async (group, version, resource) => {
		const name = group === '' ? resource : `${resource}.${group}`
		const query = 'watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=7200'
		const path = `${group === '' ? '/api/' : `/apis/${group}/`}${version}/${resource}?${query}`
		const answer = await openWatch(path)
		resources.add(name)
		await new Promise<void>((resolve, reject) => {
			read(name, answer, resolve).then(() => reject(new Error(`the watch of ${name} ended before its list was whole`)), reject)
		})
	}

	for (const { group, version } of await preferred(api)) {
		const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
		const { resources: served } = (await api.json('GET', root)) as unknown as { readonly resources: readonly Resource[] }
		const listed = served.filter(({ name, verbs }) => !name.includes('/') && verbs.includes('list') && verbs.includes('watch'))
		// One storage is shown in two groups: the core one is the one that is recorded.
		const own = listed.filter(({ name }) => !(group === 'events.k8s.io' && name === 'events'))
		await Promise.all(own.map(({ name }) => follow(group, version, name)))
	}
	return {
		text: (resource, namespace, name, revision) => texts.get(`${resource}/${namespace}/${name}@${revision}`),
		follow,
		failures,
		resources,
		get size() {
			return texts.size
		},
		async [Symbol.asyncDispose]() {
			closing = true
			const closed = [...open].map((answer) => once(answer, 'close'))
			for (const answer of open) answer.destroy()
			await Promise.all(closed)
		},
	}
}

async function preferred(api: Api): Promise<readonly { readonly group: string; readonly version: string }[]> {
	const { groups } = (await api.json('GET', '/apis')) as unknown as {
		readonly groups: readonly { readonly name: string; readonly preferredVersion: { readonly version: string } }[]
	}
	return [{ group: '', version: 'v1' }, ...groups.map(({ name, preferredVersion }) => ({ group: name, version: preferredVersion.version }))]
}
