// The API servers whose audit counters are asked for: each with its own connection.
import type { AuditCountersConfig } from '#collectors/audit/config.ts'
import type { CountedServer } from '#collectors/audit/counters/collector.ts'
import { connect } from '#collectors/kubernetes/connection.ts'

const silenceMs = 20_000

/** Throws CONFIG_UNREADABLE where a kubeconfig or its context is not there. */
export async function countedServers({ servers }: AuditCountersConfig): Promise<readonly CountedServer[]> {
	return Promise.resolve(
		servers.map(({ kubeconfig, context, url, file }) => {
			const access = { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) }
			const connection = connect(access, url)
			return {
				name: connection.server,
				file: file || servers.length === 1,
				get: (signal) => connection.get('/metrics', { accept: 'text/plain', signal, silenceMs }),
			}
		}),
	)
}
