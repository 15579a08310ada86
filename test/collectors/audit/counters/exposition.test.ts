// The counters out of a text of /metrics, in whatever pieces it comes.
import { expect, it } from 'vitest'
import { readCounters } from '#collectors/audit/counters/exposition.ts'
import { ServerClock } from '#collectors/audit/counters/server-clock.ts'

const text = `# HELP apiserver_audit_error_total [ALPHA] Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.
# TYPE apiserver_audit_error_total counter
apiserver_audit_error_total{plugin="buffered"} 1.2e+03
apiserver_audit_error_total{plugin="webhook"} 400
# TYPE apiserver_audit_event_total counter
apiserver_audit_event_total 52516
apiserver_audit_level_total{level="Metadata"} 235
apiserver_request_total{code="200"} 17
process_start_time_seconds 1.79556188615e+09
`

async function read(of: string, pieceBytes = 7): ReturnType<typeof readCounters> {
	return readCounters(
		(async function* () {
			for (let at = 0; at < of.length; at += pieceBytes) yield await Promise.resolve(Buffer.from(of.slice(at, at + pieceBytes)))
		})(),
	)
}

it('reads what an API server counts, and says nothing where it does not', async () => {
	for (const pieceBytes of [1, 7, 10_000])
		expect(await read(text, pieceBytes)).toEqual({
			events: 52_516,
			processStart: 1_795_561_886.15,
			errors: new Map([
				['buffered', 1200],
				['webhook', 400],
			]),
		})
	expect(await read(text.replace('event_total 5', 'other 5'))).toBeUndefined()
	expect(await read(text.replace('process_start', 'x'))).toBeUndefined()
	expect(await read(text.replace('52516', 'many'))).toBeUndefined()
})

it('knows an API server’s clock ever better by the seconds of its answers, and when one is set', () => {
	const clock = new ServerClock()
	const ahead = 1_234_567
	const observe = (at: number, by = ahead): ReturnType<ServerClock['observe']> =>
		clock.observe(new Date(Math.floor((at + by) / 1_000_000) * 1000).toUTCString(), at - 2000, at + 3000)
	const begin = 1_795_000_000_000_000
	let bounds = observe(begin)
	for (let number = 1; number < 20; number += 1) bounds = observe(begin + number * 1_618_034)
	expect((bounds?.low ?? 0) <= ahead && ahead <= (bounds?.high ?? 0)).toBe(true)
	expect((bounds?.high ?? 0) - (bounds?.low ?? 0)).toBeLessThan(250_000)
	expect(clock.steps).toBe(0)
	bounds = observe(begin + 40_000_000, -5_000_000)
	expect((bounds?.low ?? 0) <= -5_000_000 && -5_000_000 <= (bounds?.high ?? 0)).toBe(true)
	expect(clock.steps).toBe(1)
	expect(clock.observe('yesterday', 0, 1)).toBeUndefined()
	expect(clock.observe(undefined, 0, 1)).toBeUndefined()
})
