// The last bodies that were read, of few objects: versions of one object mostly follow each other closely, and the one before is then not read again.
import { crc32 } from 'node:zlib'
import type { Body } from '#records/body.ts'
import type { VersionRecord } from '#records/record.ts'
import { readForDescription } from './read.ts'

type Fields = Readonly<Record<string, unknown>>

/** Few, so that what is kept dies young: of the recorded incident, 94 % of the bodies before are among so many. */
const objectsMax = 64
/** Of a body. */
const bytesMax = 64 * 1024

interface Read {
	readonly revision: bigint
	readonly bytes: number
	readonly crc: number
	readonly fields: Fields
}

export interface Recent {
	/** Body before and after as `readForDescription` gives them; null where there is none. Read-only. Throws SyntaxError where one is no JSON. */
	read(record: Pick<VersionRecord, 'cluster' | 'space' | 'uid' | 'revision' | 'before' | 'beforeRevision' | 'after'>): {
		readonly before: Fields | null
		readonly after: Fields | null
	}
}

export function createRecent(): Recent {
	const reads = new Map<string, Read>()

	const known = (key: string, body: Body, revision: bigint | null): Fields | undefined => {
		const read = reads.get(key)
		if (read?.revision !== revision || read.bytes !== body.bytes.byteLength) return undefined
		// Whoever tells of the version before may have it in other words.
		return read.crc === crc32(body.bytes) ? read.fields : undefined
	}

	return {
		read({ cluster, space, uid, revision, before: bodyBefore, beforeRevision, after: bodyAfter }) {
			const key = `${cluster}\0${space}\0${uid}`
			const before = bodyBefore ? (known(key, bodyBefore, beforeRevision) ?? readForDescription(bodyBefore)) : null
			const after = bodyAfter ? readForDescription(bodyAfter) : null
			reads.delete(key)
			if (after && bodyAfter && uid !== '' && bodyAfter.bytes.byteLength <= bytesMax) {
				reads.set(key, { revision, bytes: bodyAfter.bytes.byteLength, crc: crc32(bodyAfter.bytes), fields: after })
				if (reads.size > objectsMax) reads.delete(reads.keys().next().value ?? '')
			}
			return { before, after }
		},
	}
}
