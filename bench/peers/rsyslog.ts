// rsyslog, with the settings that its documentation gives for delivery: state of the files after submission, a queue on disk that is told of every message.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Unpacked } from './debian.ts'
import { outputOf, type Command, type Input, type Peer } from './peer.ts'

export function rsyslog(debian: Unpacked): Peer {
	const run = (dir: string, config: string): Command => {
		const file = join(dir, 'rsyslog.conf')
		writeFileSync(file, config)
		return {
			command: join(debian.root, 'usr/sbin/rsyslogd'),
			args: ['-n', '-f', file, '-i', join(dir, 'rsyslog.pid'), '-M', debian.folderOf('imfile.so')],
			environment: debian.environment,
		}
	}
	return {
		name: 'rsyslog',
		version: debian.versionOf('rsyslog'),
		settings:
			'imfile (inotify, reopenOnTruncate, persistStateInterval 100, persistStateAfterSubmission), disk queue with checkpointInterval 1, omfwd over TCP',
		sends: 'lines',
		clockCanStep: true,
		toFile: (input, dir) => run(dir, toFile(input, dir)),
		toReceiver({ path, dir, port }) {
			mkdirSync(join(dir, 'queue'), { recursive: true })
			return run(
				dir,
				`global(workDirectory="${dir}" maxMessageSize="4m")
module(load="imfile" mode="inotify")
input(type="imfile" file="${path}" tag="cri" ruleset="out" reopenOnTruncate="on" persistStateInterval="100" persistStateAfterSubmission="on")
template(name="line" type="string" string="%msg%\\n")
ruleset(name="out" queue.type="Disk" queue.filename="out" queue.spoolDirectory="${dir}/queue" queue.maxDiskSpace="1g" queue.checkpointInterval="1" queue.saveOnShutdown="on" queue.dequeueBatchSize="1024") {
	action(type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp" template="line" action.resumeRetryCount="-1" action.resumeInterval="1")
}
`,
			)
		},
	}
}

const toFile = (input: Input, dir: string): string => `global(workDirectory="${dir}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
input(type="imfile" file="${'path' in input ? input.path : `${input.root}/*/*/0.log`}" tag="cri" ruleset="out" persistStateInterval="1000")
template(name="envelope" type="list") {
	constant(value="{\\"at\\":\\"") property(name="msg" field.delimiter="32" field.number="1")
	constant(value="\\",\\"stream\\":\\"") property(name="msg" field.delimiter="32" field.number="2")
	constant(value="\\",\\"body\\":\\"") property(name="msg" position.from="41" format="json") constant(value="\\"}\\n")
}
ruleset(name="out" queue.type="LinkedList" queue.dequeueBatchSize="1024") {
	action(type="omfile" file="${outputOf(dir)}" template="envelope" ioBufferSize="64k")
}
`
