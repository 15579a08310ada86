// rsyslog and syslog-ng for the bench of container logs: Debian's packages, unpacked beside it and never installed; each splits the CRI columns and writes a JSON envelope to a file, as ours does to its log.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Peer {
	readonly name: string
	readonly command: string
	readonly args: (input: string, dir: string) => readonly string[]
	readonly environment: Readonly<Record<string, string>>
}

const packages = ['rsyslog', 'libestr0', 'libfastjson4', 'syslog-ng-core', 'libivykis0', 'libnet1', 'libpcre3']

/** The file that a peer writes. */
export const outputOf = (dir: string): string => join(dir, 'out.json')

/** Throws where they cannot be had or do not start. */
export function unpackPeers(dir: string): readonly Peer[] {
	mkdirSync(dir, { recursive: true })
	execFileSync('apt-get', ['download', '-qq', ...packages], { cwd: dir, stdio: 'ignore', timeout: 120_000 })
	const root = join(dir, 'root')
	for (const file of readdirSync(dir).filter((name) => name.endsWith('.deb'))) execFileSync('dpkg', ['-x', join(dir, file), root])
	const libraries = execFileSync('find', [root, '-name', '*.so.*', '-printf', '%h\n'], { encoding: 'utf8' })
	const environment = { LD_LIBRARY_PATH: [...new Set(libraries.trim().split('\n'))].join(':') }
	const modules = execFileSync('find', [root, '-name', 'imfile.so', '-printf', '%h'], { encoding: 'utf8' })
	const parsers = execFileSync('find', [root, '-name', 'libcsvparser.so', '-printf', '%h'], { encoding: 'utf8' })
	const peers = [
		{ name: 'rsyslog', command: join(root, 'usr/sbin/rsyslogd'), args: rsyslog(modules), environment },
		{ name: 'syslog-ng', command: join(root, 'usr/sbin/syslog-ng'), args: syslogNg(parsers), environment },
	]
	for (const { command } of peers)
		execFileSync(
			command,
			['--version'].map((flag) => (command.endsWith('rsyslogd') ? '-v' : flag)),
			{ env: environment, stdio: 'ignore' },
		)
	return peers
}

const rsyslog =
	(modules: string) =>
	(input: string, dir: string): readonly string[] => {
		const file = join(dir, 'rsyslog.conf')
		writeFileSync(
			file,
			`global(workDirectory="${dir}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
input(type="imfile" file="${input}" tag="cri" ruleset="out" persistStateInterval="1000")
template(name="envelope" type="list") {
	constant(value="{\\"at\\":\\"") property(name="msg" field.delimiter="32" field.number="1")
	constant(value="\\",\\"stream\\":\\"") property(name="msg" field.delimiter="32" field.number="2")
	constant(value="\\",\\"body\\":\\"") property(name="msg" position.from="41" format="json") constant(value="\\"}\\n")
}
ruleset(name="out" queue.type="LinkedList" queue.dequeueBatchSize="1024") {
	action(type="omfile" file="${outputOf(dir)}" template="envelope" ioBufferSize="64k")
}
`,
		)
		return ['-n', '-f', file, '-i', join(dir, 'rsyslog.pid'), '-M', modules]
	}

const syslogNg =
	(modules: string) =>
	(input: string, dir: string): readonly string[] => {
		const file = join(dir, 'syslog-ng.conf')
		writeFileSync(
			file,
			`@version: 3.38
options { log-msg-size(65536); flush-lines(1000); stats-freq(0); };
source s { file("${input}" flags(no-parse) follow-freq(1) log-iw-size(20000) log-fetch-limit(1000)); };
parser p { csv-parser(columns("cri.at", "cri.stream", "cri.tag", "cri.body") delimiters(chars(" ")) flags(greedy)); };
destination d { file("${outputOf(dir)}" template("$(format-json at=\${cri.at} stream=\${cri.stream} body=\${cri.body})\\n")); };
log { source(s); parser(p); destination(d); flags(flow-control); };
`,
		)
		return [
			'-F',
			'--no-caps',
			'-f',
			file,
			'-R',
			join(dir, 'persist'),
			'-c',
			join(dir, 'control'),
			'-p',
			join(dir, 'syslog-ng.pid'),
			`--module-path=${modules}`,
		]
	}
