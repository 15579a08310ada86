// The bytes of a file in pieces, unpacked where it is gzip. What was readable before a damage is given first, then the damage is thrown.
import { open, type FileHandle } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'

/** So much is read at once. Gzip unpacks to at most about a thousand times of it. */
const plainReadBytes = 256 * 1024
const packedReadBytes = 16 * 1024

/**
 * Gzip is known by its first two bytes, not by the name. A plain file is read from byte `from` on, a packed one always from its beginning: the
 * first thing given is where the pieces begin. Throws the system's or zlib's error after the last good piece.
 */
export async function openChunks(
	path: string,
	from: number,
	pieceBytes = plainReadBytes,
): Promise<{ readonly begin: number; readonly chunks: AsyncGenerator<Buffer> }> {
	const file = await open(path, 'r')
	try {
		const magic = Buffer.alloc(2)
		const { bytesRead } = await file.read(magic, 0, 2, 0)
		const packed = bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b
		const begin = packed ? 0 : from
		return { begin, chunks: closing(file, packed ? unpack(piecesOf(file, packedReadBytes, 0)) : piecesOf(file, pieceBytes, begin)) }
	} catch (error) {
		await file.close()
		throw error
	}
}

/** The bytes of a pipe, unpacked where they are gzip. */
export async function* unpackIfPacked(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
	const iterator = pieces[Symbol.asyncIterator]()
	let first = Buffer.alloc(0)
	while (first.length < 2) {
		const { value, done } = await iterator.next()
		if (done === true) break
		first = Buffer.concat([first, value])
	}
	const all = async function* (): AsyncGenerator<Buffer> {
		if (first.length > 0) yield first
		for (;;) {
			const { value, done } = await iterator.next()
			if (done === true) return
			yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
		}
	}
	yield* first[0] === 0x1f && first[1] === 0x8b ? unpack(all()) : all()
}

async function* closing(file: FileHandle, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
	try {
		yield* chunks
	} finally {
		await file.close()
	}
}

/** All of the file, from its beginning. A plain one in pieces of `pieceBytes`. */
export async function* readChunks(path: string, pieceBytes = plainReadBytes): AsyncGenerator<Buffer> {
	const { chunks } = await openChunks(path, 0, pieceBytes)
	yield* chunks
}

async function* piecesOf(file: FileHandle, size: number, begin: number): AsyncGenerator<Buffer> {
	let position = begin
	for (;;) {
		const piece = Buffer.allocUnsafeSlow(size)
		const { bytesRead } = await file.read(piece, 0, size, position)
		if (bytesRead === 0) return
		position += bytesRead
		yield piece.subarray(0, bytesRead)
	}
}

/** Piece by piece, so that what was unpacked before an error is not lost in a stream's buffer. */
export async function* unpack(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
	const gunzip = createGunzip()
	let ready: Buffer[] = []
	let failure: Error | undefined
	let over = false
	let settle: (() => void) | undefined
	gunzip.on('data', (chunk: Buffer) => ready.push(chunk))
	gunzip.on('error', (error) => {
		failure = error
		settle?.()
	})
	// Also where bytes follow that are not gzip: they are no part of the file, and the write that brought them is never answered.
	gunzip.on('end', () => {
		over = true
		settle?.()
	})
	const step = (act: (done: () => void) => void): Promise<void> =>
		new Promise((resolve) => {
			settle = resolve
			act(resolve)
		})
	try {
		for await (const piece of pieces) {
			await step((done) =>
				gunzip.write(piece, (error) => {
					failure ??= error ?? undefined
					done()
				}),
			)
			yield* ready
			ready = []
			if (failure) throw failure
			if (over) return
		}
		await step(() => gunzip.end())
		yield* ready
		if (failure) throw failure
	} finally {
		gunzip.destroy()
	}
}
