// syslog-ng, with the settings that its documentation gives for delivery: a reliable disk buffer, flow control, the persist file.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Unpacked } from './debian.ts'
import { outputOf, type Command, type Input, type Peer } from './peer.ts'

export function syslogNg(debian: Unpacked): Peer {
	const run = (dir: string, config: string): Command => {
		const file = join(dir, 'syslog-ng.conf')
		writeFileSync(file, config)
		const own = ['-R', join(dir, 'persist'), '-c', join(dir, 'control'), '-p', join(dir, 'syslog-ng.pid')]
		return {
			command: join(debian.root, 'usr/sbin/syslog-ng'),
			args: ['-F', '--no-caps', '-f', file, ...own, `--module-path=${debian.folderOf('libcsvparser.so')}`],
			environment: debian.environment,
		}
	}
	return {
		name: 'syslog-ng',
		version: debian.versionOf('syslog-ng-core'),
		settings: 'file() (follow-freq 0.1, persist file), flow-control, disk-buffer(reliable(yes)), network() over TCP',
		sends: 'lines',
		clockCanStep: true,
		toFile: (input, dir) => run(dir, toFile(input, dir)),
		toReceiver({ path, dir, port }) {
			mkdirSync(join(dir, 'queue'), { recursive: true })
			return run(
				dir,
				`@version: 3.38
options { log-msg-size(4194304); stats-freq(0); time-reopen(1); };
source s { file("${path}" flags(no-parse) follow-freq(0.1) log-iw-size(10000) log-fetch-limit(1000)); };
destination d { network("127.0.0.1" port(${port}) transport("tcp") template("$MSG\\n")
	disk-buffer(reliable(yes) dir("${dir}/queue") mem-buf-size(16777216) disk-buf-size(1073741824))); };
log { source(s); destination(d); flags(flow-control); };
`,
			)
		},
	}
}

const source = (input: Input): string =>
	'path' in input
		? `file("${input.path}"`
		: `wildcard-file(base-dir("${input.root}") filename-pattern("0.log") recursive(yes) max-files(1000)`

const toFile = (input: Input, dir: string): string => `@version: 3.38
options { log-msg-size(65536); flush-lines(1000); stats-freq(0); };
source s { ${source(input)} flags(no-parse) follow-freq(1) log-iw-size(${'path' in input ? 20_000 : 500_000}) log-fetch-limit(1000)); };
parser p { csv-parser(columns("cri.at", "cri.stream", "cri.tag", "cri.body") delimiters(chars(" ")) flags(greedy)); };
destination d { file("${outputOf(dir)}" template("$(format-json at=\${cri.at} stream=\${cri.stream} body=\${cri.body})\\n")); };
log { source(s); parser(p); destination(d); flags(flow-control); };
`
