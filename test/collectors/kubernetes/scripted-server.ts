// An API server that does as a script says: for tests of the Kubernetes collector. Importing it starts one for each test.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { cursorName, readPosition, type Position } from '#collectors/kubernetes/position.ts'
import { openLocalState } from '#collectors/local-state.ts'
import type { Emit } from '#collectors/port.ts'
import type { KubernetesConfig } from '#collectors/kubernetes/config.ts'
import { makeStateDir, runCollector, type Running } from './running.ts'

export type Answer = (query: URLSearchParams, response: ServerResponse, request: IncomingMessage) => void

const head = 1_000_000
let server: ReturnType<typeof createServer>
let state: ReturnType<typeof makeStateDir>
let running: Running | undefined

export const pod = (name: string, revision: number): Readonly<Record<string, unknown>> => ({
	kind: 'Pod',
	apiVersion: 'v1',
	metadata: {
		name,
		namespace: 'default',
		uid: `uid-${name}`,
		resourceVersion: String(revision),
		creationTimestamp: '2026-01-01T00:00:00Z',
	},
})
export const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`
export const bookmark = (revision: number, isEnd = false): string =>
	line('BOOKMARK', {
		kind: 'Pod',
		apiVersion: 'v1',
		metadata: { resourceVersion: String(revision), ...(isEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) },
	})
export const gone = line('ERROR', {
	kind: 'Status',
	apiVersion: 'v1',
	status: 'Failure',
	message: 'too old resource version',
	reason: 'Expired',
	code: 410,
})
export const stream =
	(...lines: readonly string[]): Answer =>
	(_query, response) =>
		void response.write(lines.join(''))
export const ended =
	(...lines: readonly string[]): Answer =>
	(_query, response) =>
		void response.end(lines.join(''))
export const cutOff =
	(...lines: readonly string[]): Answer =>
	(_query, response) =>
		void response.write(lines.join(''), () => response.destroy())
export const status =
	(code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
	(_query, response) =>
		void response.writeHead(code, headers).end('{"kind":"Status","message":"no"}')
export const pods = { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list', 'watch'] }

export interface Group {
	readonly name: string
	readonly version: string
	readonly resources: readonly (typeof pods)[]
}

/** What the server has and says: set it as a test needs it. */
export const script = {
	/** To lists and watches of the core group, in turn. */
	answers: [] as Answer[],
	/** To those of the groups, by resource. */
	otherAnswers: {} as Record<string, Answer>,
	/** The newest revisions that it tells, one for each time it is asked; then a very high one. */
	heads: [] as number[],
	/** Of the core group. */
	resources: [pods],
	groups: [] as Group[],
	/** What lists and watches were asked with. */
	asked: [] as URLSearchParams[],
	/** How often resources were looked up. */
	looks: 0,
}

const groupOf = ({ name, version }: Group): unknown => ({
	name,
	versions: [{ groupVersion: `${name}/${version}` }],
	preferredVersion: { groupVersion: `${name}/${version}` },
})

/** What a group has, and its watches. */
function handleGroup(url: URL, response: ServerResponse, request: IncomingMessage): void {
	const [, , name, , resource] = url.pathname.split('/')
	const group = script.groups.find((each) => each.name === name)
	const answer = script.otherAnswers[resource ?? '']
	if (!group || (resource !== undefined && !group.resources.some((each) => each.name === resource))) response.writeHead(404).end('{}')
	else if (resource === undefined) response.end(JSON.stringify({ kind: 'APIResourceList', resources: group.resources }))
	else if (url.searchParams.get('limit') === '1') response.end(JSON.stringify({ metadata: { resourceVersion: String(head) }, items: [] }))
	else {
		script.asked.push(url.searchParams)
		answer?.(url.searchParams, response, request)
	}
}

function handle(request: IncomingMessage, response: ServerResponse): void {
	const url = new URL(request.url ?? '/', 'http://localhost')
	if (url.pathname === '/api') response.end('{"kind":"APIVersions","versions":["v1"]}')
	else if (url.pathname === '/apis') {
		script.looks += 1
		response.end(JSON.stringify({ kind: 'APIGroupList', groups: script.groups.map(groupOf) }))
	} else if (url.pathname === '/api/v1') response.end(JSON.stringify({ kind: 'APIResourceList', resources: script.resources }))
	else if (url.pathname.startsWith('/apis/')) handleGroup(url, response, request)
	else if (!script.resources.some(({ name }) => url.pathname === `/api/v1/${name}`)) response.writeHead(404).end('{}')
	else if (url.searchParams.get('limit') === '1')
		response.end(JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: String(script.heads.shift() ?? head) }, items: [] }))
	else {
		script.asked.push(url.searchParams)
		const answer = script.answers.shift() ?? stream()
		answer(url.searchParams, response, request)
	}
}

beforeEach(async () => {
	script.asked = []
	script.heads = []
	script.resources = [pods]
	script.groups = []
	script.otherAnswers = {}
	script.looks = 0
	state = makeStateDir()
	server = createServer(handle)
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
	await running?.stop()
	server.closeAllConnections()
	await new Promise((resolve) => server.close(resolve))
	state.remove()
})

export function run(given: readonly Answer[], config: Partial<KubernetesConfig> = {}, emit?: Emit): Running {
	script.answers = [...given]
	const kubeconfig = join(state.dir, 'kubeconfig')
	const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
	writeFileSync(
		kubeconfig,
		JSON.stringify({
			apiVersion: 'v1',
			kind: 'Config',
			'current-context': 'c',
			clusters: [{ name: 'c', cluster: { server: address } }],
			users: [{ name: 'u', user: {} }],
			contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
		}),
	)
	running = runCollector(state.dir, { kubeconfig, ...config }, emit)
	return running
}

export const seen = (from: Running): readonly string[] =>
	from.versions().map(({ object, revision, operation, sighting }) => `${object.name}@${revision} ${operation} ${sighting}`)

export function readPositionOf(resource: string): Position {
	using known = openLocalState(state.dir)
	return readPosition(known.cursor(cursorName(resource)))
}
