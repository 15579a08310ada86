// zstd frames in one call, their size before compression in their header, so that each is unpacked into one buffer of that size.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const level = { [constants.ZSTD_c_compressionLevel]: 1 }
const summed = { ...level, [constants.ZSTD_c_checksumFlag]: 1 }
const chunkBytesMin = 4096
/** Sizes that a header may claim without being believed: a batch is far smaller. */
const sizeMax = 256 * 1024 * 1024

/** In one call, so that the size is known and told. `withSum`: the frame ends with a checksum of the content, and a damaged one is never unpacked. */
export function compress(bytes: Uint8Array, withSum = false): Buffer {
	// What comes out fits mostly, and is not put together of pieces then.
	const chunkSize = Math.max(chunkBytesMin, bytes.length >> 2)
	return zstdCompressSync(bytes, { chunkSize, params: withSum ? summed : level })
}

/** Throws node:zlib's error where `frame` is none. */
export function decompress(frame: Uint8Array): Buffer {
	const size = contentSize(frame)
	// One byte more than is needed: a buffer that is filled to its end makes zlib ask for another one.
	return zstdDecompressSync(frame, size === undefined ? {} : { chunkSize: Math.max(64, size + 1) })
}

/** Frame_Content_Size of a zstd frame (RFC 8878, section 3.1.1.1); undefined where the header does not tell it. */
export function contentSize(frame: Uint8Array): number | undefined {
	const view = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
	if (view.length < 5) return undefined
	const descriptor = view[4] ?? 0
	const single = (descriptor & 0x20) !== 0
	const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0)
	const bytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
	if (bytes === 0 || view.length < at + bytes) return undefined
	const size = bytes === 8 ? Number(view.readBigUInt64LE(at)) : view.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
	return size <= sizeMax ? size : undefined
}
