// The table of faults (or of those that are named behind it: F1 F5): the real collect process beside rsyslog, syslog-ng and the OpenTelemetry Collector, the same lines, the same harm to the same files.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { podFolder } from '#test/collectors/logs/support.ts'
import { NumberedWriter } from '#test/faults/logs-support.ts'
import { createRandom, seedOf } from '#test/support/random.ts'
import { messageOf } from '#runtime/errors.ts'
import { faults, type Fault } from './faults/faults.ts'
import { kubetape, peerKind, type SubjectKind } from './faults/subjects.ts'
import type { Tally } from './faults/tally.ts'
import { allPeers } from './peers/all.ts'
import { unpackDebian } from './peers/debian.ts'
import { sleep } from './subject.ts'

export const name = 'faults of container logs'

/** Nothing more has come for so long: what is missing is counted as lost. */
const quietMs = 10_000
const settleMsMax = 90_000
/** Lines that must have come before the harm begins. */
const firstLines = 100
const diskMegabytes = 48

export async function run(print: (line: string) => void): Promise<void> {
	const seed = seedOf('bench faults-logs')
	const peers = allPeers(print)
	print(
		`${new Date().toISOString().slice(0, 10)}, seed ${seed}; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}; Node ${process.version}`,
	)
	for (const peer of peers) print(`- ${peer.name} ${peer.version}: ${peer.settings}`)
	print('- Kubetape: defaults; counted as a reader of the record log sees it (what has the same id is one)\n')
	print(
		'20,000 lines a second of about 250 bytes. "Lost" never came; "in pieces" came, but not as one line (neither rsyslog nor syslog-ng joins the parts of CRI lines). One that ends by itself is started again after a second.\n',
	)
	print('| fault | subject | written | lost | in pieces | duplicated | gap records |')
	print('|---|---|---:|---:|---:|---:|---|')
	const wanted = process.argv.filter((argument) => /^F\d+$/.test(argument))
	const chosen = faults.filter(({ name: fault }) => wanted.length === 0 || wanted.includes(fault.split(' ')[0] ?? ''))
	for (const fault of chosen) for (const kind of [kubetape, ...peers.map(peerKind)]) print(await rowOf(fault, kind, seed))
}

async function rowOf(fault: Fault, kind: SubjectKind, seed: number): Promise<string> {
	const cell = (text: string): string => `| ${fault.name} | ${kind.name} | ${text} |`
	if (fault.needs === 'a disk of its own' && process.getuid?.() !== 0) return cell('not tried: mounting a small disk needs root | | | |')
	if (fault.needs === 'a clock of its own' && !kind.clockCanStep)
		return cell('not tried: its time comes from the kernel, past the library that steps it | | | |')
	try {
		return cell(await putThrough(fault, kind, seed))
	} catch (error) {
		return cell(`failed: ${messageOf(error).split('\n')[0]} | | | |`)
	}
}

async function putThrough(fault: Fault, kind: SubjectKind, seed: number): Promise<string> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-bench-faults-'))
	const [disk, root, time] = [join(dir, 'disk'), join(dir, 'pods'), join(dir, 'time')]
	mkdirSync(disk)
	const hasOwnDisk = fault.needs === 'a disk of its own'
	if (hasOwnDisk) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', disk])
	const stepClock = (hours: number): void => writeFileSync(time, hours === 0 ? '+0' : `${hours > 0 ? '+' : ''}${hours}h`)
	stepClock(0)
	const path = join(podFolder(root), '0.log')
	const writer = new NumberedWriter(path)
	const subject = await kind.open({ path, root, disk, environment: fault.needs === 'a clock of its own' ? clockOf(time) : {} })
	try {
		subject.start()
		writer.write(firstLines)
		await until(subject.tally, firstLines)
		if (subject.tally.count < firstLines) throw new Error('it does not start')
		const written = await fault.run({ subject, writer, path, disk, spare: join(dir, 'spare'), random: createRandom(seed), stepClock })
		await until(subject.tally, written)
		// What comes twice may come late.
		await sleep(1000)
		const { lost, inPieces, duplicated } = subject.tally.outcome(written)
		return `${written} | ${lost} | ${inPieces} | ${duplicated} | ${gapText(subject.gaps)}`
	} finally {
		writer.close()
		await subject.close()
		if (hasOwnDisk) execFileSync('umount', [disk])
		rmSync(dir, { recursive: true, force: true })
	}
}

async function until(tally: Tally, count: number): Promise<void> {
	const end = performance.now() + settleMsMax
	tally.lastAt = performance.now()
	while (tally.count < count && performance.now() < end && performance.now() - tally.lastAt < quietMs) await sleep(50)
}

const gapText = (gaps: readonly string[]): string =>
	gaps.length === 0 ? 'none' : `${gaps.length}; the last one: ${(gaps.at(-1) ?? '').replaceAll('|', '/')}`

/** Steps the wall clock of programs that ask their C library for it; what they measure with goes on evenly. */
function clockOf(file: string): Readonly<Record<string, string>> {
	const library = 'libfaketimeMT.so.1'
	return {
		LD_PRELOAD: join(unpackDebian().folderOf(library), library),
		FAKETIME_TIMESTAMP_FILE: file,
		FAKETIME_NO_CACHE: '1',
		FAKETIME_DONT_FAKE_MONOTONIC: '1',
	}
}
