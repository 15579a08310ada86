// The live tail: records as they are stored. The stream resumes by itself behind the last record seen; where it cannot, everything is asked for again.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { WireItem } from '#api/wire.ts'
import type { Query } from './api.ts'

export type LiveState = 'off' | 'connecting' | 'on' | 'lost'

/** Records that arrive close together are shown together. */
const gatherMs = 150
const againMs = 2000

interface LiveOptions {
	readonly query: Query | undefined
	readonly onItems: (items: readonly WireItem[]) => void
	/** The stream begins now, not behind a record: what was stored before must be asked for. */
	readonly onBegin: () => void
}

/** Streams while `query` is given. Records come in the order they were stored, each once per connection; the receiver knows them by id. */
export function useLive({ query, onItems, onBegin }: LiveOptions): LiveState {
	const [state, setState] = useState<LiveState>('off')
	const text = query && new URLSearchParams(query).toString()
	useEffect(() => {
		if (text === undefined) {
			setState('off')
			return undefined
		}
		let stream: EventSource
		let timer = 0
		let gathering = 0
		let held: WireItem[] = []
		const flush = (): void => {
			gathering = 0
			const items = held
			held = []
			onItems(items)
		}
		const open = (): void => {
			let begun = false
			setState('connecting')
			stream = new EventSource(`/api/v1/stream?${text}`)
			stream.addEventListener('open', () => {
				setState('on')
				// A connection that EventSource opened again resumes by Last-Event-ID: nothing is missing then.
				if (!begun) onBegin()
				begun = true
			})
			stream.addEventListener('message', (event: MessageEvent<string>) => {
				held.push(JSON.parse(event.data) as WireItem)
				if (gathering === 0) gathering = window.setTimeout(flush, gatherMs)
			})
			stream.addEventListener('error', () => {
				setState('lost')
				// Closed for good: the server refused. A new stream knows no last record.
				if (stream.readyState === EventSource.CLOSED) timer = window.setTimeout(open, againMs)
			})
		}
		open()
		return () => {
			stream.close()
			clearTimeout(timer)
			clearTimeout(gathering)
			if (held.length > 0) onItems(held)
		}
	}, [text, onItems, onBegin])
	return state
}

function useHidden(): boolean {
	const [hidden, setHidden] = useState(document.hidden)
	useEffect(() => {
		const look = (): void => setHidden(document.hidden)
		document.addEventListener('visibilitychange', look)
		return () => document.removeEventListener('visibilitychange', look)
	}, [])
	return hidden
}

interface TailOptions {
	readonly live: boolean
	readonly wholeQuery: Query | undefined
	/** Where a filter is set: what is shown, beside the whole. */
	readonly ownQuery: Query | undefined
	readonly addWhole: (items: readonly WireItem[]) => void
	readonly addOwn: (items: readonly WireItem[]) => void
	/** Asks for everything again. */
	readonly again: () => void
}

/** Records held back while paused; more than this and everything is asked for again instead. */
const heldMax = 2000

function streamed(query: Query | undefined): Query | undefined {
	if (!query) return undefined
	const { from: _from, to: _to, ...rest } = query
	return rest
}

/** The tail of what is shown and of the whole; pausing holds new records back without losing one. */
export function useTail({ live, wholeQuery, ownQuery, addWhole, addOwn, again }: TailOptions): {
	readonly state: LiveState
	readonly paused: boolean
	readonly held: number
	readonly pause: () => void
} {
	const [paused, setPaused] = useState(false)
	const [held, setHeld] = useState(0)
	const waiting = useRef<{ whole: WireItem[]; own: WireItem[] }>({ whole: [], own: [] })
	const stopped = useRef(false)
	stopped.current = paused
	/** A stream began behind what is shown while it was paused. */
	const lacking = useRef(false)
	const filtered = useRef(false)
	filtered.current = ownQuery !== undefined
	const take = useCallback(
		(which: 'whole' | 'own', add: (items: readonly WireItem[]) => void) => (items: readonly WireItem[]) => {
			if (!stopped.current) return add(items)
			waiting.current[which] = [...waiting.current[which], ...items].slice(-heldMax)
			setHeld(waiting.current[filtered.current ? 'own' : 'whole'].length)
		},
		[],
	)
	const onWhole = useMemo(() => take('whole', addWhole), [take, addWhole])
	const onOwn = useMemo(() => take('own', addOwn), [take, addOwn])
	const begin = useCallback(() => {
		if (stopped.current) lacking.current = true
		else again()
	}, [again])
	// A browser keeps few connections to one server: a page that nobody sees leaves them to the others, and asks for everything when it is seen again.
	const hidden = useHidden()
	const streams = live && !hidden
	const whole = useLive({ query: streams ? streamed(wholeQuery) : undefined, onItems: onWhole, onBegin: begin })
	const own = useLive({ query: streams ? streamed(ownQuery) : undefined, onItems: onOwn, onBegin: begin })
	const pause = useCallback(() => setPaused((before) => !before), [])
	// What was held back for another filter is not for this one: everything is asked for again.
	const text = JSON.stringify(ownQuery ?? wholeQuery)
	useEffect(() => {
		if (!stopped.current) return
		waiting.current = { whole: [], own: [] }
		lacking.current = true
		setHeld(0)
	}, [text])
	useEffect(() => {
		if (paused) return
		const { whole: one, own: other } = waiting.current
		waiting.current = { whole: [], own: [] }
		setHeld(0)
		if (lacking.current || one.length >= heldMax || other.length >= heldMax) again()
		lacking.current = false
		addWhole(one)
		addOwn(other)
	}, [paused, addWhole, addOwn, again])
	useEffect(() => {
		if (!live) setPaused(false)
	}, [live])
	return { state: ownQuery ? own : whole, paused, held, pause }
}
