// One line of a watch: its type, and the object's own bytes.
import { isUtf8 } from 'node:buffer'
import { Body } from '#records/body.ts'

export type WatchType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
export interface WatchEvent {
	readonly type: WatchType
	readonly object: Body
}

const types: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] satisfies WatchType[])
/** As API servers write it (apimachinery metav1.WatchEvent). */
const usual = /^\{"type":"([A-Z]+)","object":$/
const headBytes = 32

/** A text says what is wrong with the line. */
export function readWatchLine(line: Buffer): WatchEvent | string {
	if (!isUtf8(line)) return 'the line is not UTF-8'
	try {
		return readUsual(line) ?? readAny(line)
	} catch {
		return 'the line is not JSON'
	}
}

/** The object is cut out as it is, so that no digit of it changes. */
function readUsual(line: Buffer): WatchEvent | undefined {
	const colon = line.toString('latin1', 0, headBytes).indexOf('"object":')
	if (colon < 0) return undefined
	const from = colon + '"object":'.length
	const type = usual.exec(line.toString('latin1', 0, from))?.[1]
	if (type === undefined || !types.has(type) || line.at(-1) !== 0x7d) return undefined
	// As text of its own: a slice would hold the whole chunk that it came in.
	const object = Body.ofText(line.toString('utf8', from, line.length - 1))
	try {
		return isObject(object.value) ? { type: type as WatchType, object } : undefined
	} catch {
		return undefined
	}
}

function readAny(line: Buffer): WatchEvent | string {
	const value: unknown = JSON.parse(line.toString('utf8'))
	if (!isObject(value)) return 'the line is no object'
	const type = value['type']
	const object = value['object']
	if (typeof type !== 'string' || !types.has(type)) return 'the line has no known type'
	return isObject(object) ? { type: type as WatchType, object: Body.ofValue(object) } : 'the line has no object'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
