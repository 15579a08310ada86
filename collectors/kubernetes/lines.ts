// A stream of bytes as lines: split at \n, bounded, never decoded here.
import { createHash } from 'node:crypto'

export type Line = { readonly bytes: Buffer } | { readonly tooLong: { readonly sha256: string; readonly sizeBytes: number } }

/** A line without its end. One longer than `lineBytesMax` is hashed, counted and skipped. What follows the last \n was cut off, and is left out. */
export async function* splitLines(stream: AsyncIterable<Buffer>, lineBytesMax: number): AsyncGenerator<readonly Line[]> {
	let parts: Buffer[] = []
	let size = 0
	let long: ReturnType<typeof createHash> | undefined
	const take = (part: Buffer): void => {
		size += part.length
		if (long) long.update(part)
		else if (size > lineBytesMax) {
			long = createHash('sha256')
			for (const earlier of parts) long.update(earlier)
			long.update(part)
			parts = []
		} else if (part.length > 0) parts.push(part)
	}
	const end = (): Line => {
		const line: Line = long
			? { tooLong: { sha256: long.digest('hex'), sizeBytes: size } }
			: { bytes: parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts) }
		parts = []
		size = 0
		long = undefined
		return line
	}
	for await (const chunk of stream) {
		const lines: Line[] = []
		let from = 0
		for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
			take(chunk.subarray(from, at))
			from = at + 1
			lines.push(end())
		}
		take(chunk.subarray(from))
		if (lines.length > 0) yield lines
	}
}
