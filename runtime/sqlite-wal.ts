// Whether SQLite's write-ahead log lost something: SQLite itself ends at the first frame that does not verify, and says nothing.
import { readFileSync } from 'node:fs'

/** Formats: https://www.sqlite.org/fileformat2.html#walformat, and the header of the -shm file in https://www.sqlite.org/walformat.html. */
const headerBytes = 32
const frameHeaderBytes = 24
const pageBytesMin = 512
const shmBytesMin = 100
const magicLittle = 0x377f0682
const magicBig = 0x377f0683
const tries = 3

interface Wal {
	readonly bytes: Buffer
	readonly salt: string
	readonly frameBytes: number
	/** Frames that were written whole, whatever is in them. */
	readonly frames: number
}

/** What those who wrote last had agreed on. It survives the end of their processes, though not the loss of power. */
interface Agreed {
	readonly salt: string
	/** Frames up to the last commit, and how many of them had been moved into the file. */
	readonly frames: number
	readonly moved: number
}

/**
 * Reads `path`-wal whole. Undefined where nothing is wrong, also where the last transaction was not written to its end: it was not
 * acknowledged. Otherwise what is wrong: fewer frames than had been agreed on, or a whole transaction behind a frame that does not verify. Safe while others write.
 */
export function walDamage(path: string): string | undefined {
	for (let left = tries; ; left--) {
		const agreed = readAgreed(`${path}-shm`)
		const wal = readWal(`${path}-wal`)
		const found = damageIn(wal, agreed)
		if (found === undefined || left === 0) return found
		// The log may have begun anew while it was read: then what was seen is no statement.
		const [agreedNow, walNow] = [readAgreed(`${path}-shm`), readWal(`${path}-wal`)]
		if (agreedNow?.salt === agreed?.salt && agreedNow?.frames === agreed?.frames && walNow?.salt === wal?.salt) return found
	}
}

/** Frames of the write-ahead log `path` that are as they were written, from the first on. */
export function soundWalFrames(path: string): number {
	const wal = readWal(path)
	return wal && headerVerifies(wal) ? soundFrames(wal) : 0
}

function damageIn(wal: Wal | undefined, agreed: Agreed | undefined): string | undefined {
	if (!wal) {
		return agreed && agreed.frames > agreed.moved ? `its write-ahead log is missing, with ${agreed.frames} pages` : undefined
	}
	const begins = headerVerifies(wal)
	const sound = begins ? soundFrames(wal) : 0
	const damaged = `its write-ahead log is damaged at page ${sound + 1} of ${wal.frames}`
	// A log that begins anew is agreed on with no frames in it: others have the salt of the file.
	if (agreed && agreed.salt !== wal.salt && agreed.frames > agreed.moved) return damaged
	// What is behind that which was agreed on is of a transaction that was not written to its end, and perhaps partly written over since.
	if (agreed && agreed.salt === wal.salt) return sound < agreed.frames ? damaged : undefined
	if (!begins && wal.bytes.length > headerBytes + frameHeaderBytes + pageBytesMin) return damaged
	return hasCommitBehind(wal, sound) ? damaged : undefined
}

/** Is there a transaction behind the frame that does not verify, written to its end? Pages of one that was not are no loss. */
function hasCommitBehind(wal: Wal, unsound: number): boolean {
	for (let frame = unsound + 1; frame < wal.frames; frame++) {
		const follows = saltOf(wal, frame) === wal.salt && verifies(wal, frame, storedSum(wal, frame - 1))
		if (follows && isCommit(wal, frame)) return true
	}
	return false
}

function readOrNone(path: string): Buffer | undefined {
	try {
		return readFileSync(path)
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
		throw error
	}
}

/** Undefined where it is missing, or too short to have held a transaction. */
function readWal(path: string): Wal | undefined {
	const bytes = readOrNone(path)
	if (!bytes || bytes.length < headerBytes) return undefined
	const frameBytes = frameHeaderBytes + bytes.readUInt32BE(8)
	const frames = Math.floor((bytes.length - headerBytes) / frameBytes)
	return { bytes, salt: bytes.toString('hex', 16, 24), frameBytes, frames }
}

function readAgreed(path: string): Agreed | undefined {
	const bytes = readOrNone(path)
	// Written in the order of the machine's own bytes; byte 12 says that it is in use, and the two copies are the same when nobody is writing.
	if (!bytes || bytes.length < shmBytesMin || bytes[12] !== 1 || !bytes.subarray(0, 48).equals(bytes.subarray(48, 96))) return undefined
	return { salt: bytes.toString('hex', 32, 40), frames: bytes.readUInt32LE(16), moved: bytes.readUInt32LE(96) }
}

const at = (wal: Wal, frame: number): number => headerBytes + frame * wal.frameBytes
const saltOf = (wal: Wal, frame: number): string => wal.bytes.toString('hex', at(wal, frame) + 8, at(wal, frame) + 16)

/** The last frame of a transaction tells the size of the database behind it; the others tell none. */
const isCommit = (wal: Wal, frame: number): boolean => wal.bytes.readUInt32BE(at(wal, frame) + 4) !== 0

type Sum = readonly [number, number]
const storedSum = (wal: Wal, frame: number): Sum => {
	const begin = frame < 0 ? 24 : at(wal, frame) + 16
	return [wal.bytes.readUInt32BE(begin), wal.bytes.readUInt32BE(begin + 4)]
}

function headerVerifies(wal: Wal): boolean {
	const magic = wal.bytes.readUInt32BE(0)
	if (magic !== magicLittle && magic !== magicBig) return false
	const [first, second] = sumOf(wal, 0, 24, [0, 0])
	const [storedFirst, storedSecond] = storedSum(wal, -1)
	return first === storedFirst && second === storedSecond
}

/** Frames, from the first on, that continue the sum of the header. */
function soundFrames(wal: Wal): number {
	let frame = 0
	while (frame < wal.frames && saltOf(wal, frame) === wal.salt && verifies(wal, frame, storedSum(wal, frame - 1))) frame++
	return frame
}

function verifies(wal: Wal, frame: number, before: Sum): boolean {
	const begin = at(wal, frame)
	const header = sumOf(wal, begin, 8, before)
	const [first, second] = sumOf(wal, begin + frameHeaderBytes, wal.frameBytes - frameHeaderBytes, header)
	const [storedFirst, storedSecond] = storedSum(wal, frame)
	return first === storedFirst && second === storedSecond
}

/** SQLite's checksum over pairs of 32-bit words, in the byte order that the magic number names. */
function sumOf(wal: Wal, begin: number, length: number, before: Sum): Sum {
	const { bytes } = wal
	const big = bytes.readUInt32BE(0) === magicBig
	let [first, second] = [before[0] | 0, before[1] | 0]
	for (let index = begin; index < begin + length; index += 8) {
		first = (first + (big ? bytes.readInt32BE(index) : bytes.readInt32LE(index)) + second) | 0
		second = (second + (big ? bytes.readInt32BE(index + 4) : bytes.readInt32LE(index + 4)) + first) | 0
	}
	return [first >>> 0, second >>> 0]
}
