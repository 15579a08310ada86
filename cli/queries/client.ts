// Asks a running server: JSON answers, and live streams of server-sent events.
import { KubetapeError, errorRegistry, messageOf, type ErrorCode } from '#runtime/errors.ts'
import type { WireError } from '#api/wire.ts'

const answerMs = 60_000
/** One message of a stream; a larger one is no server of ours. */
const messageCharsMax = 64 * 1024 * 1024

export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>

export interface Client {
	get<T>(path: string, parameters: Parameters): Promise<T>
	/** Messages as they arrive; ends with the server or the signal. `onOpen`: from then on nothing that is stored is missed. */
	follow<T>(path: string, parameters: Parameters, signal: AbortSignal, onOpen?: () => void): AsyncGenerator<T>
}

function address(server: string, path: string, parameters: Parameters): URL {
	let url: URL
	try {
		url = new URL(server)
		// A server may lie below a path of its host, behind a proxy.
		url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
		url.search = ''
		url.hash = ''
	} catch (error) {
		throw new KubetapeError('CLI_USAGE', `--server ${server}: an address such as http://127.0.0.1:8480`, { cause: error })
	}
	if (url.protocol !== 'http:' && url.protocol !== 'https:')
		throw new KubetapeError('CLI_USAGE', `--server ${server}: an address such as http://127.0.0.1:8480`)
	for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, String(value))
	return url
}

async function ask(server: string, url: URL, init: RequestInit): Promise<Response> {
	let response: Response
	try {
		response = await fetch(url, init)
	} catch (error) {
		const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
		throw new KubetapeError(
			'CLI_SERVER_UNREACHABLE',
			`no server answers at ${server} (${messageOf(cause)}): start one, or name it with --server`,
			{ cause: error },
		)
	}
	if (response.ok) return response
	throw refusal(server, response.status, await response.text())
}

/** The server's own error, with its code where this program knows it. */
function refusal(server: string, status: number, text: string): KubetapeError {
	let error: Partial<WireError> = {}
	try {
		error = JSON.parse(text) as Partial<WireError>
	} catch {
		// Not our error form: another server, or a proxy before it.
	}
	const code = error.error?.code
	if (code === undefined || !Object.hasOwn(errorRegistry, code))
		return new KubetapeError('CLI_SERVER_UNREACHABLE', `${server} answered ${status} and is no Kubetape server`)
	if (code === 'INTERNAL')
		return new KubetapeError('CLI_SERVER_UNREACHABLE', `${server}: ${error.error?.message ?? 'a defect'}; its log has the details`)
	return new KubetapeError(code as ErrorCode, error.error?.message ?? code)
}

export function createClient(server: string): Client {
	return {
		async get<T>(path: string, parameters: Parameters): Promise<T> {
			const response = await ask(server, address(server, path, parameters), {
				headers: { accept: 'application/json' },
				signal: AbortSignal.timeout(answerMs),
			})
			try {
				return (await response.json()) as T
			} catch (error) {
				throw new KubetapeError('CLI_SERVER_UNREACHABLE', `${server} did not answer with JSON and is no Kubetape server`, { cause: error })
			}
		},
		async *follow<T>(path: string, parameters: Parameters, signal: AbortSignal, onOpen?: () => void): AsyncGenerator<T> {
			const response = await ask(server, address(server, path, parameters), { headers: { accept: 'text/event-stream' }, signal })
			onOpen?.()
			try {
				yield* messages<T>(response.body ?? new ReadableStream())
			} catch (error) {
				if (signal.aborted) return
				throw new KubetapeError('CLI_SERVER_UNREACHABLE', `${server}: the stream broke (${messageOf(error)})`, { cause: error })
			}
		},
	}
}

/** The data of each server-sent event. */
async function* messages<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
	const decoder = new TextDecoder()
	let rest = ''
	for await (const chunk of body) {
		rest += decoder.decode(chunk, { stream: true })
		if (rest.length > messageCharsMax) throw new Error('a message is too long')
		const blocks = rest.split('\n\n')
		rest = blocks.pop() ?? ''
		for (const block of blocks) {
			const lines = block.split('\n')
			const data = lines
				.filter((line) => line.startsWith('data: '))
				.map((line) => line.slice(6))
				.join('\n')
			if (lines.includes('event: failed')) throw new Error((JSON.parse(data) as { message: string }).message)
			if (data !== '') yield JSON.parse(data) as T
		}
	}
}
