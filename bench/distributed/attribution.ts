// What a processor's CPU went into, told from a profile of V8: each sample counts for the first frame, from the innermost outwards, that a rule names.

/** As `node --cpu-prof` writes it. Times are microseconds of the monotonic clock. */
export interface CpuProfile {
	readonly nodes: readonly ProfileNode[]
	readonly startTime: number
	readonly samples: readonly number[]
	readonly timeDeltas: readonly number[]
}

interface ProfileNode {
	readonly id: number
	readonly callFrame: { readonly functionName: string; readonly url: string }
	readonly children?: readonly number[]
}

export type Part = 'decode' | 'diff' | 'encode' | 'outside'

export interface Row {
	readonly part: Part
	readonly label: string
	readonly micros: number
	/** Of garbage collections that began while it ran. */
	readonly gcMicros: number
}

type Kind = Pick<Row, 'part' | 'label'>

const kind = (part: Part, label: string): Kind => ({ part, label })
const batches = kind('decode', 'Kafka record batches: zstd, messages')
const records = kind('decode', 'frames to records')
const blocks = kind('decode', 'blocks to lines')
const describe = kind('diff', 'describe: bodies parsed, compared, told')
const enrich = kind('diff', 'enrich')
const documents = kind('encode', 'documents')
const bulk = kind('encode', 'bulk bodies')
const rejects = kind('encode', 'records to the log (rejects)')
const store = kind('outside', 'store: its writer and reader, the client, HTTP')
const log = kind('outside', 'record log: its reader, the client, its protocol')
const index = kind('outside', 'index: the loop over batches')
const runtime = kind('outside', 'runtime: metrics, health, clock, own log')
const node = kind('outside', 'node: timers, sockets and streams that no rule names')
const program = kind('outside', 'native code without JavaScript: system calls, event loop, compiling')
const idle = '(idle)'
const collecting = '(garbage collector)'

/**
 * The first that fits a frame names the sample. Frames that none names (node's own and native functions, `records/` but for its codecs, TypeBox, …) do work for whoever called them: the
 * frame outside of them is asked.
 */
export const rules: readonly (readonly [url: RegExp, called: RegExp, is: Kind])[] = [
	[/runtime\/zstd-frame\./, /^(decompress|contentSize)$/, batches],
	[/storage\/log\/kafka\/codec\./, /^decompress|^damaged|^countBefore$/, batches],
	[/kafkajs\/src\/protocol\/(recordBatch|messageSet|message)\//, /./, batches],
	[/records\/codec\./, /^(decodeRecords|headerIn|completed|bodyOf)$/, records],
	[/storage\/log\/kafka\/(messages|place)\./, /^(unpack|part)$/, records],
	[/records\/log-(block|text)\./, /./, blocks],
	[/(processors\/describe|history)\//, /./, describe],
	[/processors\/enrich\//, /./, enrich],
	[/storage\/store\/elasticsearch\/(document|ecs|words|registry)\./, /./, documents],
	[/storage\/store\/meaning\./, /./, documents],
	// Of what a request does, only that puts lines together.
	[/^node:buffer/, /^concat$/, bulk],
	[/records\/codec\./, /./, rejects],
	[/storage\/store\//, /./, store],
	[/node_modules\/(@elastic|undici|hpagent|secure-json-parse)\//, /./, store],
	[/storage\/log\/|node_modules\/kafkajs\//, /./, log],
	[/processors\/index\//, /./, index],
	[/(runtime|cli)\/|node_modules\/(prom-client|pino)\//, /./, runtime],
]

/** By its innermost named frame; `stack` begins with the innermost. */
function kindOf(stack: readonly ProfileNode['callFrame'][]): Kind {
	const [leaf] = stack
	if (!leaf || leaf.functionName === '(program)' || leaf.functionName === '(root)') return program
	for (const [at, { url, functionName }] of stack.entries()) {
		const named = rules.find(([where, called]) => where.test(url) && called.test(functionName === '' ? '?' : functionName))?.[2]
		if (named === bulk && !stack.slice(at).some((frame) => /elasticsearch\/bulk\./.test(frame.url))) continue
		if (named) return named
	}
	return node
}

function kindsOf(profile: CpuProfile): ReadonlyMap<number, Kind | typeof idle | typeof collecting> {
	const byId = new Map(profile.nodes.map((each) => [each.id, each]))
	const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
	const stackOf = (id: number): ProfileNode['callFrame'][] => {
		const frames: ProfileNode['callFrame'][] = []
		for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
			const frame = byId.get(at)?.callFrame
			if (frame) frames.push(frame)
		}
		return frames
	}
	return new Map(
		profile.nodes.map(({ id, callFrame: { functionName } }) => [
			id,
			functionName === idle || functionName === collecting ? functionName : kindOf(stackOf(id)),
		]),
	)
}

export interface Attributed {
	readonly rows: readonly Row[]
	readonly idleMicros: number
	/** Functions that took the longest by themselves among those outside, and how long. */
	readonly outside: readonly (readonly [name: string, micros: number])[]
}

/** Of what was sampled between two moments of the monotonic clock. */
export function attribute(profile: CpuProfile, from: number, to: number): Attributed {
	const kinds = kindsOf(profile)
	const names = new Map(
		profile.nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName || '(anonymous)'} ${shortUrl(callFrame.url)}`.trim()]),
	)
	const found = new Map<Kind, { micros: number; gcMicros: number }>()
	const outside = new Map<string, number>()
	let idleMicros = 0
	let running: Kind = program
	let at = profile.startTime
	for (const [index_, id] of profile.samples.entries()) {
		at += profile.timeDeltas[index_] ?? 0
		const micros = profile.timeDeltas[index_ + 1] ?? 0
		const is = kinds.get(id)
		if (is !== undefined && is !== collecting) running = is === idle ? program : is
		if (at < from || at >= to) continue
		if (is === idle) {
			idleMicros += micros
			continue
		}
		const row = found.get(running) ?? { micros: 0, gcMicros: 0 }
		found.set(running, row)
		if (is === collecting) row.gcMicros += micros
		else {
			row.micros += micros
			const name = names.get(id) ?? ''
			if (running.part === 'outside') outside.set(name, (outside.get(name) ?? 0) + micros)
		}
	}
	return {
		rows: [...found].map(([of, sums]) => ({ ...of, ...sums })),
		idleMicros,
		outside: [...outside].toSorted(([, one], [, other]) => other - one),
	}
}

const shortUrl = (url: string): string => url.replace(/^.*\/(?=node_modules\/)/, '').replace(/^file:.*\/package\//, '')
