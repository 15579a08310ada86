// When what was put is seen: each index has a lane, in which it is sent put after put and shown between two of them. So a put is seen there as a whole, and no index waits for another.
import type { Clock } from '#runtime/clock.ts'
import { messageOf } from '#runtime/errors.ts'
import type { Logger } from '#runtime/log.ts'
import type { Searcher } from './search.ts'

export interface LanesOptions {
	readonly searcher: Searcher
	readonly clock: Clock
	readonly log?: Logger | undefined
	/** 0: at once. */
	readonly refreshMs: number
}

interface Lane {
	/** What was asked of it last; it never rejects. */
	turn: Promise<unknown>
	/** Sendings that wait for their turn or are under way. */
	underWay: number
	/** Something was sent that is not shown. */
	dirty: boolean
}

const isShown = ({ underWay, dirty }: Lane): boolean => underWay === 0 && !dirty

export class Lanes {
	readonly #options: LanesOptions
	readonly #lanes = new Map<string, Lane>()
	readonly #stop = new AbortController()
	/** All that is to be shown is, in one round; the next one is not before this, in milliseconds. */
	#dueAt = 0
	#round: Promise<void> | undefined
	/** The last round failed, and that was said. */
	#isFailing = false

	constructor(options: LanesOptions) {
		this.#options = options
	}

	/** Sends to an index, behind what was sent there before. Where it is to be seen at once, it is when this resolves. */
	send<T>(index: string, work: () => Promise<T>): Promise<T> {
		const lane = this.#laneOf(index)
		lane.underWay += 1
		const sent = inTurn(lane, async () => {
			const result = await work().finally(() => (lane.underWay -= 1))
			lane.dirty = true
			if (this.#options.refreshMs === 0) await this.#refresh(index, lane)
			return result
		})
		if (this.#options.refreshMs > 0) this.#round ??= this.#showInTime()
		return sent
	}

	/** Shows what was sent to an index so far, whoever sent it. */
	show(index: string): Promise<void> {
		const lane = this.#laneOf(index)
		return inTurn(lane, () => this.#refresh(index, lane))
	}

	/** Indices in which something was put that is not shown yet. */
	unshown(): readonly string[] {
		return [...this.#lanes].flatMap(([index, lane]) => (isShown(lane) ? [] : [index]))
	}

	async showAll(): Promise<void> {
		await Promise.all(this.unshown().map((index) => this.show(index)))
	}

	#laneOf(index: string): Lane {
		const known = this.#lanes.get(index)
		if (known) return known
		const lane = { turn: Promise.resolve(), underWay: 0, dirty: false }
		this.#lanes.set(index, lane)
		return lane
	}

	/** What is to be sent meanwhile waits. A failure keeps what there is to show. */
	async #refresh(index: string, lane: Lane): Promise<void> {
		await this.#options.searcher.refresh(index)
		lane.dirty = false
	}

	/** One round at a time, behind all that was to be sent when it begins: so every index shows the same puts. One that takes long, or fails, is followed by a pause as long. */
	async #showInTime(): Promise<void> {
		const { clock, refreshMs } = this.#options
		const nowMs = (): number => clock.nowMicros() / 1000
		await clock.sleep(Math.max(0, this.#dueAt - nowMs()), this.#stop.signal)
		// Who closes shows the rest, once: a server that hangs would hold that up for each try.
		if (this.#stop.signal.aborted) return
		const beganAt = nowMs()
		await this.#showOrSay()
		const endedAt = nowMs()
		this.#dueAt = Math.max(beganAt + refreshMs, endedAt + (endedAt - beganAt))
		const isAllShown = [...this.#lanes.values()].every(isShown)
		this.#round = !isAllShown && !this.#stop.signal.aborted ? this.#showInTime() : undefined
	}

	async #showOrSay(): Promise<void> {
		try {
			await this.showAll()
			this.#isFailing = false
		} catch (error) {
			if (!this.#isFailing) this.#options.log?.warn({ error: messageOf(error) }, 'what was put is seen later')
			this.#isFailing = true
		}
	}

	/** What was put is seen behind it, where the server still answers. */
	async close(): Promise<void> {
		this.#stop.abort()
		await this.#round
		await this.#showOrSay()
	}
}

/** Behind what was asked of the lane before. */
function inTurn<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
	const turn = lane.turn.then(work)
	lane.turn = turn.catch(() => undefined) // who asked is told
	return turn
}
