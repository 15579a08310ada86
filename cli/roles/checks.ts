// How a role knows that it can do its work: it asks what it depends on, every few seconds, and says what it finds. Saying it is also the sign that the role does not hang.
import { atMost } from '#runtime/lifecycle.ts'
import { isRetryable, KubetapeError, messageOf } from '#runtime/errors.ts'
import type { RecordLog } from '#storage/log/port.ts'
import type { Store } from '#storage/store/port.ts'
import { storeGroup, type RoleContext } from './context.ts'
import { createDiskMeter } from './disk.ts'

export interface Check {
	/** Beside the role's own name in /readyz: `record log`, `store`, `positions`. */
	readonly part: string
	/** Resolves with what there is to say; rejects with what is wrong. */
	readonly run: () => Promise<string>
}

const everyMs = 5000
const answerMsMax = 5000
const lagMsMax = 3000

/** `canWait`: while the log is away, what is appended waits on this disk, so that a source that is sent here has no reason to go elsewhere. What has no room pauses the role. */
export const appendCheck = (log: Pick<RecordLog, 'lag'>, canWait: boolean): Check => ({
	part: 'record log',
	run: async () => {
		try {
			if (await atMost(lagMsMax, log.lag(storeGroup, ['records']))) return 'answers'
			throw new KubetapeError('STORAGE_UNAVAILABLE', `no answer within ${lagMsMax / 1000} s`)
		} catch (error) {
			if (canWait && isRetryable(error)) return `does not answer, records wait on this disk: ${messageOf(error)}`
			throw error
		}
	},
})

export const storeCheck = (store: Store): Check => ({
	part: 'store',
	run: async () => {
		const clusters = await store.clusters()
		return clusters.length === 1 ? 'answers: 1 cluster' : `answers: ${clusters.length} clusters`
	},
})

async function ask({ part, run }: Check, context: RoleContext): Promise<void> {
	try {
		const answer = await atMost(answerMsMax, run())
		if (answer === undefined) throw new KubetapeError('STORAGE_UNAVAILABLE', `does not answer within ${answerMsMax / 1000} s`)
		context.report(true, answer, part)
	} catch (error) {
		context.report(false, messageOf(error), part)
	}
}

/** The first round is asked at once. Stop it, and wait for it, before what it asks is closed. */
export async function keepChecking(context: RoleContext, checks: readonly Check[], signal: AbortSignal): Promise<void> {
	const measureDisk = createDiskMeter(context)
	while (!signal.aborted) {
		await Promise.all([...checks.map((check) => ask(check, context)), measureDisk()])
		// What the role itself said last is repeated, for it may have nothing new to say for days.
		context.repeat()
		await context.clock.sleep(everyMs, signal)
	}
}
