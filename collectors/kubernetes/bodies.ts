// The newest bodies, so that the object before is mostly not read and parsed again: bounded in bytes, longest untouched first.
import { Body } from '#records/body.ts'
import type { KnownObject } from '#collectors/local-state.ts'
import type { Revision } from '#records/revision.ts'

const bodiesBytesMax = 24 * 1024 * 1024

export class Bodies {
	readonly #bodies = new Map<string, { readonly revision: Revision; readonly body: Body; readonly bytes: number }>()
	#bytes = 0

	of(known: KnownObject): Body {
		const kept = this.#bodies.get(known.key)
		return kept?.revision === known.revision ? kept.body : Body.ofBytes(known.value)
	}

	keep(key: string, revision: Revision, body: Body): void {
		this.drop(key)
		const bytes = body.bytes.byteLength
		this.#bodies.set(key, { revision, body, bytes })
		this.#bytes += bytes
		for (const oldest of this.#bodies.keys()) {
			if (this.#bytes <= bodiesBytesMax) break
			this.drop(oldest)
		}
	}

	drop(key: string): void {
		this.#bytes -= this.#bodies.get(key)?.bytes ?? 0
		this.#bodies.delete(key)
	}
}
