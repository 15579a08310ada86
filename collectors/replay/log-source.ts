// Logs of a recording: components' files (klog or JSON) and containers' files in the kubelet's layout (CRI).
import { CriJoiner, readCriLine, textOf } from '#collectors/tail/cri.ts'
import { readLogText } from '#records/log-text.ts'
import { logId } from '#records/id.ts'
import type { LogLine } from '#records/record.ts'
import type { Micros } from '#records/time.ts'
import { rejectOf, type FileOptions, type LineReader } from './source.ts'

/** Text of one log line that is kept; what is longer is cut, and says so. */
const textBytesMax = 256 * 1024

type Place = Pick<LogLine, 'namespace' | 'pod' | 'podUid' | 'container' | 'restart' | 'component' | 'node'>
type Found = Pick<LogLine, 'stream' | 'level' | 'text' | 'flags' | 'raw' | 'originalBytes'>

function lineOf(options: FileOptions, place: Place, at: Micros, offset: number, found: Found): LogLine {
	const id = logId(options.cluster, options.name, offset, at)
	return {
		kind: 'log',
		id,
		cluster: options.cluster,
		source: 'replay',
		occurredAt: at,
		occurredBound: 0,
		observedAt: at,
		file: options.name,
		offset,
		...place,
		...found,
	}
}

/** A line without a time has the time of the one before it. */
export function createComponentReader(options: FileOptions): LineReader {
	const component = (options.name.split('/').at(-1) ?? '').replace(/\.(log|txt|jsonl?)$/, '')
	const place: Place = { namespace: '', pod: '', podUid: '', container: '', restart: 0, component, node: '' }
	return {
		line(line, lastAt) {
			if (line.tooLong)
				return { at: undefined, records: [rejectOf(options, line, line.number, 'the line is too long', lastAt, 'replay.log')] }
			const isCut = line.bytes.length > textBytesMax
			const { text, flags, ...bytes } = textOf(line.bytes.subarray(0, textBytesMax), isCut)
			const read = readLogText(text, lastAt)
			const at = read.at ?? lastAt
			const found = {
				stream: '' as const,
				level: read.level,
				text: read.text,
				flags: read.at === undefined ? [...flags, 'no-time' as const] : flags,
				...bytes,
				...(isCut ? { originalBytes: line.bytes.length } : {}),
			}
			return { at: read.at, records: [lineOf(options, place, at, line.offset, found)] }
		},
		end: () => [],
	}
}

const podPath = /^pods\/([^/_]+)_([^/_]+)_([^/_]+)\/([^/]+)\/(\d{1,9})\.log/

/** Undefined where the path is not one of the kubelet's: `pods/NAMESPACE_POD_UID/CONTAINER/RESTART.log`. */
export function containerOf(name: string): Place | undefined {
	const [, namespace, pod, podUid, container, restart] = podPath.exec(name) ?? []
	if (namespace === undefined || pod === undefined || podUid === undefined || container === undefined) return undefined
	return { namespace, pod, podUid, container, restart: Number(restart), component: '', node: '' }
}

export function createContainerReader(options: FileOptions, place: Place): LineReader {
	const joiner = new CriJoiner(textBytesMax)
	const joined = (line: {
		readonly at: Micros
		readonly stream: LogLine['stream']
		readonly offset: number
		readonly content: Buffer
		readonly truncated: boolean
	}): LogLine => {
		const found = textOf(line.content, line.truncated)
		return lineOf(options, place, line.at, line.offset, { stream: line.stream, level: readLogText(found.text, line.at).level, ...found })
	}
	return {
		line(line, lastAt) {
			const read = line.tooLong ? undefined : readCriLine(line.bytes)
			if (!read) {
				const reason = line.tooLong ? 'the line is too long' : 'not a container log line: no time, stream and tag'
				return { at: undefined, records: [rejectOf(options, line, line.number, reason, lastAt, 'replay.log')] }
			}
			const whole = joiner.push(read, line.offset)
			return { at: read.at, records: whole ? [joined(whole)] : [] }
		},
		end: () => [...joiner.end()].map(joined),
	}
}
