// Regular files out of a tar archive (POSIX ustar with pax and GNU long names), as the bytes come: nothing is kept but one header.

export interface TarEntry {
	readonly path: string
	readonly content: AsyncIterable<Buffer>
}

const block = 512
const nameBytesMax = 64 * 1024

class TarError extends Error {}

/** Entries must be read one after the other; what is not read of one is skipped. Throws on what is no archive, and where it breaks off. */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
	const input = createInput(chunks)
	try {
		yield* entriesOf(input)
	} finally {
		// The archive ends before its bytes do: it is padded.
		await input.close()
	}
}

async function* entriesOf(input: Input): AsyncGenerator<TarEntry> {
	let longName: string | undefined
	for (;;) {
		const header = await input.exactly(block, true)
		if (!header || header.every((byte) => byte === 0)) return
		const { size, type, name } = readHeader(header)
		const padding = (block - (size % block)) % block
		if (type === 'L' || type === 'x') {
			if (size > nameBytesMax) throw new TarError(`a name of ${size} bytes`)
			const content = (await input.exactly(size)) ?? Buffer.alloc(0)
			longName = type === 'L' ? cString(content) : (paxPath(content) ?? longName)
		} else if (type === '0' || type === '7') {
			const content = input.upTo(size)
			yield { path: (longName ?? name).replace(/^(\.\/)+/, ''), content }
			for await (const _ of content);
			longName = undefined
		} else {
			for await (const _ of input.upTo(size));
			if (type !== 'g') longName = undefined
		}
		await input.exactly(padding)
	}
}

function readHeader(header: Buffer): { readonly size: number; readonly type: string; readonly name: string } {
	let sum = 0
	for (let at = 0; at < block; at += 1) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0)
	if (sum !== octal(header.subarray(148, 156))) throw new TarError('a header whose checksum is wrong')
	const size = (header[124] ?? 0) & 0x80 ? Number(header.readBigUInt64BE(128)) : octal(header.subarray(124, 136))
	if (!Number.isSafeInteger(size)) throw new TarError('a header without a size')
	const prefix = header.toString('latin1', 257, 262) === 'ustar' ? cString(header.subarray(345, 500)) : ''
	const name = cString(header.subarray(0, 100))
	const type = header[156] === 0 ? '0' : String.fromCharCode(header[156] ?? 0)
	return { size, type, name: prefix === '' ? name : `${prefix}/${name}` }
}

function cString(bytes: Buffer): string {
	const end = bytes.indexOf(0)
	return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

function octal(bytes: Buffer): number {
	const digits = cString(bytes).trim()
	return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

/** pax: `LENGTH KEY=VALUE\n`, where the length counts the whole entry. */
function paxPath(content: Buffer): string | undefined {
	for (let at = 0; at < content.length;) {
		const space = content.indexOf(0x20, at)
		const length = Number(content.toString('latin1', at, Math.max(at, space)))
		if (space < 0 || !Number.isSafeInteger(length) || length <= space - at) return undefined
		const entry = content.toString('utf8', space + 1, at + length - 1)
		if (entry.startsWith('path=')) return entry.slice('path='.length)
		at += length
	}
	return undefined
}

interface Input {
	/** Throws where fewer bytes are left; with `orNone` undefined where none are. */
	exactly(size: number, orNone?: boolean): Promise<Buffer | undefined>
	upTo(size: number): AsyncGenerator<Buffer>
	close(): Promise<void>
}

function createInput(chunks: AsyncIterable<Buffer>): Input {
	const source = chunks[Symbol.asyncIterator]()
	let rest: Buffer = Buffer.alloc(0)
	const fill = async (): Promise<boolean> => {
		while (rest.length === 0) {
			const { value, done } = await source.next()
			if (done === true) return false
			rest = value
		}
		return true
	}
	const take = (size: number): Buffer => {
		const part = rest.subarray(0, size)
		rest = rest.subarray(part.length)
		return part
	}
	return {
		async exactly(size, orNone = false) {
			const parts: Buffer[] = []
			let missing = size
			while (missing > 0) {
				if (!(await fill())) {
					if (orNone && missing === size) return undefined
					throw new TarError('the archive breaks off')
				}
				const part = take(missing)
				parts.push(part)
				missing -= part.length
			}
			return Buffer.concat(parts)
		},
		async *upTo(size) {
			let missing = size
			while (missing > 0) {
				if (!(await fill())) throw new TarError('the archive breaks off')
				const part = take(missing)
				missing -= part.length
				yield part
			}
		},
		close: async () => void (await source.return?.()),
	}
}
