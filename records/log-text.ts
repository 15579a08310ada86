// One line of a component's log: klog text, or JSON as klog, zap and slog write it. What is neither is text without a time.
import type { LogLine } from './record.ts'
import { parseTime, type Micros } from './time.ts'

export interface LogText {
	/** Undefined where the line tells no time. */
	readonly at: Micros | undefined
	readonly level: LogLine['level']
	readonly text: string
}

type Level = LogLine['level']
type Fields = Readonly<Record<string, unknown>>

/** klog.go, formatHeader: Lmmdd hh:mm:ss.uuuuuu threadid file:line] */
const klog = /^([IWEF])(\d{2})(\d{2}) (\d{2}:\d{2}:\d{2}\.\d{1,6})\s+\d+ (.*)$/s
const klogLevels: Readonly<Record<string, Level>> = { I: 'info', W: 'warning', E: 'error', F: 'fatal' }
const jsonLevels: Readonly<Record<string, Level>> = {
	trace: 'debug',
	debug: 'debug',
	info: 'info',
	warn: 'warning',
	warning: 'warning',
	error: 'error',
	dpanic: 'fatal',
	panic: 'fatal',
	fatal: 'fatal',
}
/** klog's JSON has a verbosity in place of a level: from this on it is debugging. */
const debugVerbosity = 4
/** A number of time below is seconds (zap), from here on milliseconds (klog). */
const secondsMax = 1e11
const timeMax = 8.64e18
const halfYear = 183 * 86_400_000_000

/** `near` is a time close by: klog tells no year. It is read as UTC. Never throws. */
export function readLogText(line: string, near: Micros): LogText {
	if (line.startsWith('{')) {
		const json = readJson(line)
		if (json) return json
	}
	const match = klog.exec(line)
	const at = match ? nearestYear(`${match[2]}-${match[3]}T${match[4]}Z`, near) : undefined
	if (!match || at === undefined) return { at: undefined, level: '', text: line }
	return { at, level: klogLevels[match[1] ?? ''] ?? '', text: match[5] ?? '' }
}

function nearestYear(rest: string, near: Micros): Micros | undefined {
	const year = new Date(Math.max(0, Math.min(near, timeMax / 1000)) / 1000).getUTCFullYear()
	const guesses = [year, year - 1, year + 1].map((guess) => parseTime(`${String(guess).padStart(4, '0')}-${rest}`))
	return guesses.find((at) => at !== undefined && Math.abs(at - near) <= halfYear) ?? guesses.find((at) => at !== undefined)
}

function readJson(line: string): LogText | undefined {
	let parsed: unknown
	try {
		parsed = JSON.parse(line)
	} catch {
		return undefined // a line that only begins like JSON is text
	}
	if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
	const fields = parsed as Fields
	const message = fields['msg'] ?? fields['message']
	const at = timeOf(fields['ts'] ?? fields['time'] ?? fields['timestamp'])
	if (typeof message !== 'string' && at === undefined) return undefined
	try {
		return { at, level: levelOf(fields), text: textOfFields(typeof message === 'string' ? message : '', fields) }
	} catch {
		return { at, level: levelOf(fields), text: line } // nested deeper than it can be written anew
	}
}

function timeOf(value: unknown): Micros | undefined {
	if (typeof value === 'string') return parseTime(value)
	if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined
	const at = Math.round(value < secondsMax ? value * 1e6 : value * 1e3)
	return at < timeMax / 1000 ? at : undefined
}

function levelOf(fields: Fields): Level {
	const level = fields['level'] ?? fields['severity']
	if (typeof level === 'string') return jsonLevels[level.toLowerCase()] ?? ''
	const verbosity = fields['v']
	if (typeof verbosity === 'number') return verbosity >= debugVerbosity ? 'debug' : 'info'
	return 'err' in fields ? 'error' : ''
}

const shownElsewhere = new Set(['msg', 'message', 'ts', 'time', 'timestamp', 'level', 'severity', 'v'])

/** The message, then every other field as `name=value`, as klog's text has it. */
function textOfFields(message: string, fields: Fields): string {
	let text = message
	for (const [name, value] of Object.entries(fields))
		if (!shownElsewhere.has(name)) text += `${text === '' ? '' : ' '}${name}=${JSON.stringify(value)}`
	return text
}
