// Whatever goes wrong, as the API says it: a code, a message, its HTTP status. No stack leaves the process.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { nearest } from '#runtime/nearest.ts'
import { errorRegistry, KubetapeError, type ErrorCode } from '#runtime/errors.ts'
import type { WireError } from './wire.ts'

interface Violation {
	readonly keyword: string
	readonly instancePath: string
	readonly message?: string
	readonly params: Readonly<Record<string, unknown>>
}

function wireError(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}): WireError {
	return { error: { code, message, ...(Object.keys(details).length > 0 ? { details } : {}) } }
}

/** Says which parameter is wrong and why; names the nearest known one for an unknown one. */
export function explainViolation(violations: readonly Violation[], context: string, known: readonly string[]): KubetapeError {
	const [first] = violations
	const parameter = first?.instancePath.slice(1).replaceAll('/', '.') ?? ''
	if (first?.keyword === 'additionalProperties') {
		const unknown = String(first.params['additionalProperty'])
		const near = nearest(unknown.slice(0, 64), known)
		const help = near ? `did you mean ${near}?` : known.length > 0 ? `known here: ${known.join(', ')}` : 'there are none here'
		return new KubetapeError('QUERY_INVALID', `${unknown.slice(0, 64)} is no parameter: ${help}`, {
			details: { parameter: unknown.slice(0, 64), ...(near ? { nearest: near } : {}) },
		})
	}
	const missing = first?.keyword === 'required' ? first.params['missingProperty'] : undefined
	if (typeof missing === 'string') return new KubetapeError('QUERY_INVALID', `${missing} is needed`, { details: { parameter: missing } })
	const allowed = first?.params['allowedValues']
	const reason = Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : (first?.message ?? 'is wrong')
	return new KubetapeError('QUERY_INVALID', `${parameter || context} ${reason}`, { details: { parameter } })
}

/** Server-side failures are logged with their stack and answered without it. */
export function answerError(error: FastifyError | KubetapeError | Error, request: FastifyRequest, reply: FastifyReply): void {
	const known = error instanceof KubetapeError ? error : fromFramework(error as FastifyError)
	const status = known ? errorRegistry[known.code].http : 500
	if (status >= 500) request.log.error({ err: error, url: request.url }, 'a request failed')
	reply.removeHeader('content-type')
	const { stack: _stack, ...details } = known?.details ?? {}
	void reply
		.code(status)
		.type('application/json; charset=utf-8')
		.serializer(JSON.stringify)
		.send(known ? wireError(known.code, known.message, details) : wireError('INTERNAL', errorRegistry.INTERNAL.help))
}

function fromFramework(error: FastifyError): KubetapeError | undefined {
	const status = error.statusCode ?? 500
	if (status >= 500) return undefined
	// 403: a path that leaves the folder of the page; outside of it there is nothing.
	if (status === 404 || status === 403) return new KubetapeError('NOT_FOUND', 'nothing is there')
	return new KubetapeError('QUERY_INVALID', error.message.slice(0, 200), { details: { status } })
}
