// What is kept in memory of a day, bounded by bytes: two generations, of which the older one is dropped when the younger one is half the budget.

export class Cache<K, V> {
	readonly #halfBytes: number
	#young = new Map<K, V>()
	#old = new Map<K, V>()
	#bytes = 0

	constructor(bytesMax: number) {
		this.#halfBytes = bytesMax / 2
	}

	get(key: K): V | undefined {
		const young = this.#young.get(key)
		if (young !== undefined || this.#old.size === 0) return young
		return this.#old.get(key)
	}

	/** `bytes`: about what key and value take. A value that is used again is kept by setting it again. */
	set(key: K, value: V, bytes: number): void {
		if (this.#bytes > this.#halfBytes) {
			this.#old = this.#young
			this.#young = new Map()
			this.#bytes = 0
		}
		this.#young.set(key, value)
		this.#bytes += bytes
	}

	/** As `get`; keeps what is found for another generation. */
	use(key: K, bytes: number): V | undefined {
		const young = this.#young.get(key)
		if (young !== undefined) return young
		const old = this.#old.get(key)
		if (old !== undefined) this.set(key, old, bytes)
		return old
	}

	clear(): void {
		this.#young.clear()
		this.#old.clear()
		this.#bytes = 0
	}
}
