// kubetape logs: the lines of a Pod, or of every Pod that an object owned, as `kubectl logs` would have shown them then; and lines found by their words, with those around them.
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { WireItem, WireLine, WirePage } from '#api/wire.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { chronological, clusterOf, limitOf, list, parametersOf, range, withCommon, type Common, type Filters } from './common.ts'
import { createClient, type Client, type Parameters } from './client.ts'
import { logText, placeOf } from './log-text.ts'
import { historyPath, parseObjectArgument, type ObjectArgument } from './object-argument.ts'
import type { Format, Io } from './output.ts'
import { logLine } from './views.ts'

const filters: Filters = {
	pod: 'pod',
	container: 'container',
	node: 'node',
	unit: 'component or unit',
	level: 'debug, info, warning, error or fatal',
	stream: 'stdout or stderr',
	restart: 'how often the container had been restarted',
	q: 'full text',
	...range,
}
const pageItems = 1000
const contextLinesMax = 1000
/** Of lines that were shown, so many are known again when the stream has them too. */
const shownIdsMax = 100_000

interface Question {
	readonly client: Client
	readonly io: Io
	readonly flags: Common
	readonly parameters: Parameters
	/** None: lines of anything. */
	readonly object: ObjectArgument | undefined
}

const isPod = ({ resource }: ObjectArgument): boolean => /^(po|pods?)$/i.test(resource)

/** `web-0` is a Pod, as for kubectl. */
function objectOf(words: readonly string[]): ObjectArgument | undefined {
	const [word] = words
	if (word === undefined) return undefined
	return parseObjectArgument(words.length > 1 || word.includes('/') ? words : ['pod', word])
}

async function question(io: Io, words: readonly string[], flags: Common): Promise<Question> {
	const client = createClient(flags.server)
	const object = objectOf(words)
	if (flags.at !== undefined && flags['to'] !== undefined) throw new KubetapeError('CLI_USAGE', '--at and --to: both say where it ends')
	const named = !object ? {} : isPod(object) ? { pod: object.name } : { kind: object.resource, name: object.name, owner: true }
	if (object && isPod(object) && flags['pod'] !== undefined) throw new KubetapeError('CLI_USAGE', '--pod: the Pod is named already')
	const cluster = object ? await clusterOf(client, flags) : flags.cluster
	const parameters = { ...parametersOf(flags, filters), ...named, cluster, ...(flags.at === undefined ? {} : { to: flags.at }) }
	return { client, io, flags, parameters, object }
}

/** Lines whose text the list does not have whole get it. */
async function whole(client: Client, items: readonly WireItem[]): Promise<WireItem[]> {
	const read: WireItem[] = []
	for (const item of items) {
		if (item.log?.textChars === undefined) read.push(item)
		else {
			const path = `/api/v1/logs/${encodeURIComponent(item.cluster)}/${item.id}`
			const { text, raw } = await client.get<WireLine>(path, {})
			read.push({ ...item, summary: text, log: { ...item.log, ...(raw === null ? {} : { raw }) } })
		}
	}
	return read
}

/** Throws NOT_FOUND where nothing is recorded of an object by that name. */
async function mustBeKnown({ client, parameters, flags, object }: Question): Promise<void> {
	if (!object) return
	const { cluster, namespace, pod, kind, name, owner } = parameters
	const any = await client.get<WirePage<WireItem>>('/api/v1/logs', { cluster, namespace, pod, kind, name, owner, limit: 1 })
	if (any.items.length > 0) return
	if (flags.namespace !== undefined) await client.get(historyPath(String(cluster), object, flags.namespace), { limit: 1 })
	else {
		const known = await client.get<WirePage<WireItem>>('/api/v1/timeline', {
			cluster,
			kind: object.resource,
			name: object.name,
			noise: true,
			limit: 1,
		})
		if (known.items.length === 0) throw new KubetapeError('NOT_FOUND', `nothing is recorded of ${object.resource}/${object.name}`)
	}
}

const haveSeveralPods = (items: readonly WireItem[]): boolean => new Set(items.map(({ log }) => `${log?.namespace}/${log?.pod}`)).size > 1

/** How one line is printed: with its Pod where there are several, with its place where nothing was named. */
function printer({ io, flags, object }: Question, hasSeveral: boolean): (item: WireItem) => string {
	if (!object) return logLine
	const isTerminal = (io.columns ?? 0) > 0
	return (item) =>
		`${hasSeveral ? `[${placeOf(item)}] ` : ''}${flags['timestamps'] === true ? `${item.time} ` : ''}${logText(item.summary, isTerminal)}\n`
}

/** Several containers and no prefix: what a reader could not tell is told once. */
function tellContainers({ io, flags, object }: Question, items: readonly WireItem[]): void {
	const names = [...new Set(items.map(({ log }) => log?.container ?? ''))]
	if (object && isPod(object) && flags['container'] === undefined && names.length > 1)
		io.stderr(`lines of the containers ${names.join(', ')}: choose one with -c\n`)
}

/** Of items that never end. */
const oneOfMany = (form: Format, item: WireItem): string => (form === 'json' ? `${JSON.stringify(item)}\n` : `---\n${stringify(item)}`)

function writePage({ io, flags }: Question, page: WirePage<WireItem>, text: (items: readonly WireItem[]) => string): void {
	if (flags.follow === true && flags.output !== 'table') for (const item of page.items) io.stdout(oneOfMany(flags.output, item))
	else if (flags.output === 'json') io.stdout(`${JSON.stringify(page, null, 2)}\n`)
	else if (flags.output === 'yaml') io.stdout(stringify(page))
	else io.stdout(text(page.items))
}

/** All lines of one Pod, however many, a page at a time. Gives the ids of the last ones. */
async function writeAll(asked: Question): Promise<ReadonlySet<string>> {
	const { client, io, parameters } = asked
	const shown = new Set<string>()
	let cursor: string | null = null
	do {
		const page: WirePage<WireItem> = await client.get('/api/v1/logs', {
			...parameters,
			order: 'asc',
			limit: pageItems,
			...(cursor === null ? {} : { cursor }),
		})
		if (cursor === null) tellContainers(asked, page.items)
		const items = await whole(client, page.items)
		io.stdout(items.map(printer(asked, false)).join(''))
		for (const { id } of items) shown.add(id)
		for (const id of shown) {
			if (shown.size <= shownIdsMax) break
			shown.delete(id)
		}
		cursor = page.next
	} while (cursor !== null)
	if (shown.size === 0) await mustBeKnown(asked)
	return shown
}

/** The newest lines, oldest first. */
async function writeNewest(asked: Question): Promise<ReadonlySet<string>> {
	const { client, io, flags, parameters } = asked
	const page = chronological(await list<WireItem>(client, '/api/v1/logs', { ...parameters, order: 'desc' }, limitOf(flags)))
	const items = await whole(client, page.items)
	if (items.length === 0) await mustBeKnown(asked)
	tellContainers(asked, items)
	writePage(asked, { items, next: page.next }, (shown) => shown.map(printer(asked, haveSeveralPods(shown))).join(''))
	if (page.next !== null && flags.output === 'table')
		io.stderr(`there is more: raise --limit above ${items.length}, or narrow with --from and --to\n`)
	return new Set(items.map(({ id }) => id))
}

/** Lines around each that is found, in the order of their file; `--` where lines are left out. */
async function writeContext(asked: Question, around: number): Promise<void> {
	const { client, flags, parameters } = asked
	const found = chronological(await list<WireItem>(client, '/api/v1/logs', { ...parameters, order: 'desc' }, limitOf(flags)))
	if (found.items.length === 0) await mustBeKnown(asked)
	const groups: WireItem[][] = []
	const shown = new Set<string>()
	for (const match of found.items) {
		const path = `/api/v1/logs/${encodeURIComponent(match.cluster)}/${match.id}/context`
		const { items } = await client.get<WirePage<WireItem>>(path, { before: around, after: around })
		const last = groups.at(-1)
		const fresh = items.filter(({ id }) => !shown.has(id))
		for (const { id } of fresh) shown.add(id)
		// What the match before reached to goes on.
		if (last && fresh.length < items.length && last.at(-1)?.log?.file === match.log?.file) last.push(...(await whole(client, fresh)))
		else if (fresh.length > 0) groups.push(await whole(client, fresh))
	}
	const items = groups.flat()
	writePage(asked, { items, next: found.next }, () =>
		groups.map((group) => group.map(printer(asked, haveSeveralPods(items))).join('')).join('--\n'),
	)
}

/** What is there, then what comes, each line once: the stream is open before the lines that are there are read. */
async function followOn(asked: Question, existing: () => Promise<ReadonlySet<string>>): Promise<void> {
	const { client, io, flags, parameters, object } = asked
	const stop = new AbortController()
	const interrupt = (): void => stop.abort()
	// A terminal's, and that the program which started this one is gone.
	process.once('SIGINT', interrupt)
	process.once('disconnect', interrupt)
	const opened = Promise.withResolvers<void>()
	const stream = client.follow<WireItem>('/api/v1/stream', { ...parameters, include: 'logs' }, stop.signal, opened.resolve)
	let next = stream.next()
	try {
		await Promise.race([opened.promise, next])
		const shown = await existing()
		// Which Pods will come is not known.
		const print = printer(asked, object !== undefined && !isPod(object))
		for (;;) {
			const { value, done } = await next
			if (done === true) return
			next = stream.next()
			if (shown.has(value.id)) continue
			const [item = value] = await whole(client, [value])
			io.stdout(flags.output === 'table' ? print(item) : oneOfMany(flags.output, item))
		}
	} catch (error) {
		if (!stop.signal.aborted) throw error
	} finally {
		next.catch(() => undefined) // told above, or it ends with the interrupt
		process.removeListener('SIGINT', interrupt)
		process.removeListener('disconnect', interrupt)
		stop.abort()
	}
}

async function run(io: Io, words: readonly string[], flags: Common): Promise<void> {
	const asked = await question(io, words, flags)
	const context = flags['context']
	if (context !== undefined) {
		const around = typeof context === 'string' && /^\d{1,4}$/.test(context) ? Number(context) : contextLinesMax + 1
		if (around > contextLinesMax) throw new KubetapeError('CLI_USAGE', `--context ${context}: a whole number up to ${contextLinesMax}`)
		if (flags.follow === true) throw new KubetapeError('CLI_USAGE', '--context: not with --follow')
		if (flags['q'] === undefined) throw new KubetapeError('CLI_USAGE', '--context: around what? Say it with --q')
		return writeContext(asked, around)
	}
	const isWhole = asked.object !== undefined && isPod(asked.object) && flags.limit === undefined && flags.output === 'table'
	const existing = (): Promise<ReadonlySet<string>> => (isWhole ? writeAll(asked) : writeNewest(asked))
	if (flags.follow !== true) await existing()
	else if (asked.object) await followOn(asked, existing)
	else await followOn(asked, async () => new Set())
}

export function registerLogs(program: Command, io: Io): void {
	withCommon(
		program
			.command('logs')
			.argument('[object...]', 'checkout-abc, pod/checkout-abc, or deployment/checkout: all Pods it owned')
			.description('log lines, as kubectl logs has them; of anything, where nothing is named'),
		{ ...filters, at: 'as it was then: the lines up to this time' },
		true,
		{ container: '-c', q: '-q' },
	)
		.option('--context <n>', 'with --q: so many lines before and behind each that is found')
		.option('--limit <n>', 'at most so many, the newest (default: all of a Pod, 100 otherwise)')
		.option('--timestamps', 'the time before each line')
		.option('-f, --follow', 'go on with what is stored from now on')
		.action((words: string[], flags: Common) => run(io, words, flags))
}
