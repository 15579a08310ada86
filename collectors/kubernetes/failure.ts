// What a refusal of the API server means: its HTTP status, or the Status object of an ERROR event.
import { KubetapeError } from '#runtime/errors.ts'

const retryAfterMaxMs = 300_000
const messageCharactersMax = 300

/** `text` is the answer, mostly a metav1.Status. 410 is KUBERNETES_GONE, 401 and 403 KUBERNETES_AUTH, all others KUBERNETES_UNAVAILABLE with details.status. */
export function failureOf(status: number, text: string, retryAfter?: string): KubetapeError {
	const seconds = Number(retryAfter)
	const details = {
		status,
		...(retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0
			? { retryAfterMs: Math.min(seconds * 1000, retryAfterMaxMs) }
			: {}),
	}
	const message = `the API server answered ${status}: ${messageIn(text)}`
	if (status === 410) return new KubetapeError('KUBERNETES_GONE', message, { details })
	if (status === 401 || status === 403) return new KubetapeError('KUBERNETES_AUTH', message, { details })
	return new KubetapeError('KUBERNETES_UNAVAILABLE', message, { details })
}

export function statusOf(error: KubetapeError): number | undefined {
	const status = error.details['status']
	return typeof status === 'number' ? status : undefined
}

export function retryAfterOf(error: KubetapeError): number | undefined {
	const wait = error.details['retryAfterMs']
	return typeof wait === 'number' ? wait : undefined
}

function messageIn(text: string): string {
	try {
		const status = JSON.parse(text) as { readonly message?: unknown } | null
		if (typeof status?.message === 'string') return status.message.slice(0, messageCharactersMax)
	} catch {
		// Not JSON: proxies answer in their own words.
	}
	return text.slice(0, messageCharactersMax).replace(/\s+/g, ' ').trim()
}
