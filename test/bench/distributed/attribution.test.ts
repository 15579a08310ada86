// What a profile is told as: by the innermost frame that a rule names; a garbage collection with what ran when it began; only within the window.
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { attribute, rules, type CpuProfile } from '#bench/distributed/attribution.ts'

const at = 1_000_000
const step = 1000

/** Each sample is a stack of `function file`, outermost first, and lasts a millisecond. */
function profileOf(stacks: readonly (readonly string[])[]): CpuProfile {
	const nodes: { id: number; callFrame: { functionName: string; url: string }; children: number[] }[] = []
	const add = (frame: string): number => {
		const [functionName = '', file = ''] = frame.startsWith('(') ? [frame] : frame.split(' ')
		const url = file === '' || file.startsWith('node:') ? file : `file:///tmp/package/${file}`
		nodes.push({ id: nodes.length + 1, callFrame: { functionName, url }, children: [] })
		return nodes.length
	}
	const root = add('(root)')
	const samples = stacks.map((stack) =>
		stack.reduce((parent, frame) => {
			const id = add(frame)
			nodes[parent - 1]?.children.push(id)
			return id
		}, root),
	)
	// The last one ends the one before.
	return { nodes, startTime: at, samples: [...samples, root], timeDeltas: [0, ...samples.map(() => step)] }
}

const put = ['settle processors/index/step.js', '#put storage/store/elasticsearch/writer.js']
const everything = Number.MAX_SAFE_INTEGER

function parts(stacks: readonly (readonly string[])[], from = 0, to = everything): Record<string, [number, number]> {
	const { rows } = attribute(profileOf(stacks), from, to)
	const lasting = rows.filter(({ micros, gcMicros }) => micros + gcMicros > 0)
	return Object.fromEntries(lasting.map(({ part, label, micros, gcMicros }) => [`${part}: ${label}`, [micros / step, gcMicros / step]]))
}

describe('a sample', () => {
	it('counts for the innermost frame that a rule names, whatever node does for it', () => {
		const found = parts([
			['run processors/describe/step.js', 'get records/body.js', 'parse node:internal/x', 'native'],
			[...put, 'prepare storage/store/elasticsearch/document.js', 'write node:buffer'],
			[...put, '#request storage/store/elasticsearch/bulk.js', 'concat node:buffer'],
			[...put, 'ask node_modules/undici/lib/client.js', 'concat node:buffer'],
			['decode node_modules/kafkajs/src/protocol/recordBatch/v0/decoder.js', 'readVarInt node_modules/kafkajs/src/protocol/decoder.js'],
			['onread node_modules/kafkajs/src/network/connection.js', 'write node:net'],
			['processTimers node:internal/timers'],
		])
		expect(Object.keys(found).map((name) => name.split(/[:,]/).slice(0, 2).join(':'))).toEqual([
			'diff: describe',
			'encode: documents',
			'encode: bulk bodies',
			'outside: store',
			'outside: record log',
			'outside: node',
		])
	})

	it('is left out where it is idle or outside of the window', () => {
		const stacks = [['a processors/enrich/step.js'], ['(idle)'], ['a processors/enrich/step.js'], ['a history/diff.js']]
		expect(parts(stacks)).toEqual({ 'diff: enrich': [2, 0], 'diff: describe: bodies parsed, compared, told': [1, 0] })
		expect(parts(stacks, at + step, at + 3 * step)).toEqual({ 'diff: enrich': [1, 0] })
		expect(attribute(profileOf(stacks), 0, everything).idleMicros).toBe(step)
	})

	it('of garbage collection counts for what ran when it began', () => {
		const found = parts([['a history/diff.js'], ['(garbage collector)'], ['(garbage collector)'], ['(idle)'], ['(garbage collector)']])
		expect(found).toEqual({
			'diff: describe: bodies parsed, compared, told': [1, 2],
			'outside: native code without JavaScript: system calls, event loop, compiling': [0, 1],
		})
	})
})

it('every rule names a file that there is, and functions of it', () => {
	const files = globSync(['{records,history,processors,storage,runtime,cli}/**/*.ts', 'node_modules/{kafkajs,undici,@elastic}/**/*.js'])
	const idle = rules.filter(([where, called]) => {
		if (where.source.includes('node:')) return false
		const named = files.filter((file) => where.test(file))
		const functions = called.source === '.' ? [] : called.source.replaceAll(/[^\w|]/g, '').split('|')
		const text = functions.length === 0 ? '' : named.map((file) => readFileSync(file, 'utf8')).join('\n')
		return named.length === 0 || functions.some((name) => !text.includes(name))
	})
	expect(idle.map(([where]) => where.source)).toEqual([])
})
