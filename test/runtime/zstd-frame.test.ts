// Frames of zstd: what was packed is unpacked, and the header tells its size.
import { once } from 'node:events'
import { createZstdCompress } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compress, contentSize, decompress } from '#runtime/zstd-frame.ts'

describe('frames', () => {
	it('with a sum are refused whatever bit of them is turned', () => {
		const bytes = Buffer.from(Array.from({ length: 500 }, (_, index) => (index * index) & 255))
		const frame = compress(bytes, true)
		expect(decompress(frame).equals(bytes)).toBe(true)
		for (let bit = 0; bit < frame.length * 8; bit++) {
			const turned = Buffer.from(frame)
			turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
			let whole: Buffer | undefined
			try {
				whole = decompress(turned)
			} catch {
				continue // refused
			}
			// A bit of the header that says nothing about the content.
			expect(whole.equals(bytes), `bit ${bit}`).toBe(true)
		}
	})

	it('tell their size at every width of the field, and come back as they were', () => {
		for (const size of [0, 1, 255, 256, 257, 65_535, 65_536, 65_791, 65_792, 3_000_000]) {
			const bytes = Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + (index >> 5) * 13) & 255))
			const frame = compress(bytes)
			expect(contentSize(frame)).toBe(size)
			expect(decompress(frame).equals(bytes), `${size} bytes`).toBe(true)
		}
	})

	it('are read without a size too, as a writer makes them that did not know it', async () => {
		const bytes = Buffer.alloc(100_000, 'kubetape')
		const stream = createZstdCompress()
		const chunks: Buffer[] = []
		stream.on('data', (chunk: Buffer) => chunks.push(chunk))
		stream.write(bytes.subarray(0, 10))
		stream.flush()
		stream.end(bytes.subarray(10))
		await once(stream, 'end')
		const frame = Buffer.concat(chunks)
		expect(contentSize(frame)).toBeUndefined()
		expect(decompress(frame).equals(bytes)).toBe(true)
	})

	it('a header of garbage never makes a claim that takes the memory', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
				const size = contentSize(bytes)
				expect(size === undefined || (Number.isSafeInteger(size) && size >= 0 && size <= 256 * 1024 * 1024)).toBe(true)
			}),
		)
	})
})
