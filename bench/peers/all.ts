// The peers that can be had on this machine.
import { execFileSync } from 'node:child_process'
import { messageOf } from '#runtime/errors.ts'
import { unpackDebian } from './debian.ts'
import { otelcol } from './otelcol.ts'
import type { Peer } from './peer.ts'
import { rsyslog } from './rsyslog.ts'
import { syslogNg } from './syslog-ng.ts'

/** Says what cannot be had, and why. */
export function allPeers(print: (line: string) => void): readonly Peer[] {
	const peers: Peer[] = []
	const attempt = (name: string, make: () => readonly Peer[]): void => {
		try {
			peers.push(...make())
		} catch (error) {
			print(`${name} cannot be had here: ${messageOf(error).split('\n')[0]}`)
		}
	}
	attempt('rsyslog and syslog-ng', () => {
		const debian = unpackDebian()
		const made = [rsyslog(debian), syslogNg(debian)]
		execFileSync(`${debian.root}/usr/sbin/rsyslogd`, ['-v'], { env: debian.environment, stdio: 'ignore' })
		execFileSync(`${debian.root}/usr/sbin/syslog-ng`, ['--version'], { env: debian.environment, stdio: 'ignore' })
		return made
	})
	attempt('the OpenTelemetry Collector', () => [otelcol()])
	return peers
}
