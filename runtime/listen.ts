// Where the program may listen: on this machine alone, while nobody is asked who he is.
import { KubetapeError } from './errors.ts'

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])
const everywhere = new Set(['0.0.0.0', '::'])

/** Throws RUNTIME_LISTEN_REFUSED. */
export function refuseBeyondLoopback(host: string): void {
	if (loopback.has(host)) return
	throw new KubetapeError(
		'RUNTIME_LISTEN_REFUSED',
		`server.host ${host} is beyond loopback and no authentication is configured: listen on 127.0.0.1`,
	)
}

/** Whether two servers on one port would be in each other's way. */
export function isSameAddress(a: string, b: string): boolean {
	const [one, other] = [a, b].map((host) => (host === 'localhost' ? '127.0.0.1' : host))
	return one === other || everywhere.has(a) || everywhere.has(b)
}
