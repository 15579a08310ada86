// Where the program may listen, and for whom: on this machine alone, while nobody is asked who he is.
import { KubetapeError } from './errors.ts'

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])
const everywhere = new Set(['0.0.0.0', '::'])

const loopbackAddress = /^(127\.|::1$|::ffff:127\.)/

/** Whether a connection came in on this machine's loopback; unknown counts as such. */
export function isLoopbackAddress(local: string | undefined): boolean {
	return local === undefined || loopbackAddress.test(local)
}

/** True where `host` (a Host header) names this machine's loopback: what a page of another origin cannot send after rebinding its name. */
export function isLoopbackHost(host: string): boolean {
	const name = host.replace(/:\d{1,5}$/, '').toLowerCase()
	return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)
}

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
