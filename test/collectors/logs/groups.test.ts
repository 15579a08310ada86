// Lines that belong together: traces as Java, Python and Go print them, and klog's values over several lines. Each is one line, and what stands around it is not in it.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '#test/support/program.ts'
import { collect, criLine, podFolder, type Collecting } from './support.ts'

let folder: ReturnType<typeof temporaryFolder>
let root: string
let collecting: Collecting | undefined

beforeEach(() => {
	folder = temporaryFolder('logs-groups')
	root = join(folder.path, 'pods')
	mkdirSync(root)
})
afterEach(async () => {
	await collecting?.stop()
	folder.remove()
})

/** What a container that prints this becomes. */
async function grouped(multiline: 'stack' | 'indent', lines: readonly string[], count: number): Promise<readonly string[]> {
	writeFileSync(join(podFolder(root), '0.log'), lines.map((text, number) => criLine(number, text)).join(''))
	collecting = collect(join(folder.path, 'state'), { pods: { root, multiline } })
	await collecting.lineCount(count)
	return collecting.texts()
}

const traces: Readonly<Record<string, readonly string[]>> = {
	Java: [
		'Exception in thread "main" shop.OrderException: order 7 failed',
		'\tat shop.Orders.place(Orders.java:71)',
		'\tat java.base/java.lang.Thread.run(Thread.java:840)',
		'\tSuppressed: java.io.IOException: close',
		'\t\tat shop.Db.close(Db.java:9)',
		'Caused by: java.sql.SQLException: deadlock',
		'\tat shop.Db.query(Db.java:44)',
		'\t... 12 more',
		'Caused by: java.net.SocketException: reset',
		'\t... 14 common frames omitted',
	],
	Python: [
		'ERROR:shop:order failed',
		'Traceback (most recent call last):',
		'  File "/app/db.py", line 12, in query',
		'    cursor.execute(sql)',
		'psycopg2.errors.UniqueViolation: duplicate key',
		'',
		'The above exception was the direct cause of the following exception:',
		'',
		'Traceback (most recent call last):',
		'  File "/app/main.py", line 3, in <module>',
		'    place()',
		'    ~~~~~^^',
		'ValueError: no order',
	],
	Go: [
		'panic: runtime error: invalid memory address or nil pointer dereference [recovered]',
		'\tpanic: again',
		'[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f1f5]',
		'',
		'goroutine 1 [running]:',
		'main.(*Server).Serve(0xc000010000, {0x4b2a30?, 0xc00007e000})',
		'\t/app/server.go:31 +0x1d',
		'main.main()',
		'\t/app/main.go:7 +0x25',
		'',
		'goroutine 18 [chan receive]:',
		'k8s.io/klog/v2.(*loggingT).flushDaemon(0x0?)',
		'\t/go/pkg/mod/k8s.io/klog/v2@v2.120.1/klog.go:1157 +0x6a',
		'created by main.start in goroutine 1',
		'\t/app/main.go:20 +0x3c',
	],
}

describe('stack', () => {
	it.each(Object.keys(traces))('a trace of %s is one line, with its causes', async (language) => {
		const trace = traces[language] ?? []
		// Python's error is logged before its trace, in a line of its own.
		const texts = await grouped('stack', ['served 1', ...trace, 'served 2', 'served 3'], 4)
		expect(texts).toEqual(['served 1', trace.join('\n'), 'served 2', 'served 3'])
	})

	it('leaves alone what only looks a little like a trace', async () => {
		const lines = ['INFO: started', 'panicked for a moment', 'main.go(7)', 'ValueError: handled', '', 'at once']
		expect(await grouped('stack', lines, lines.length)).toEqual(lines)
	})

	it('is each stream’s own, and one line of klog with values over several lines', async () => {
		writeFileSync(
			join(podFolder(root), '0.log'),
			[
				criLine(1, 'boom', 'F', 'stderr'),
				criLine(2, 'served'),
				criLine(3, '\tat a.B.c(B.java:1)', 'F', 'stderr'),
				criLine(4, 'E1124 10:00:00.000001       1 pod.go:12] "Failed" diff=<'),
				criLine(5, '\tline one'),
				criLine(6, '\t\tline two'),
				criLine(7, ' > pod="shop/web"'),
				criLine(8, 'I1124 10:00:00.000002       1 pod.go:13] "Next"'),
			].join(''),
		)
		collecting = collect(join(folder.path, 'state'), { pods: { root, multiline: 'stack' } })
		await collecting.lineCount(4)
		expect(collecting.texts().toSorted()).toEqual([
			'E1124 10:00:00.000001       1 pod.go:12] "Failed" diff=<\n\tline one\n\t\tline two\n > pod="shop/web"',
			'I1124 10:00:00.000002       1 pod.go:13] "Next"',
			'boom\n\tat a.B.c(B.java:1)',
			'served',
		])
		expect(collecting.lines.find(({ text }) => text.startsWith('boom'))).toMatchObject({ stream: 'stderr', offset: 0 })
	})

	it('of a component: the level and time are those of the first line', async () => {
		const path = join(folder.path, 'scheduler.log')
		writeFileSync(
			path,
			'E1124 10:00:00.000001       1 a.go:12] "Failed" err=<\n\tone\n\ttwo\n >\nI1124 10:00:01.000000       1 a.go:13] next\n',
		)
		collecting = collect(join(folder.path, 'state'), { files: [{ paths: [path], multiline: 'stack' }] })
		await collecting.lineCount(2)
		expect(collecting.lines).toMatchObject([
			{ level: 'error', text: 'a.go:12] "Failed" err=<\n\tone\n\ttwo\n >', occurredAt: Date.UTC(2026, 10, 24, 10) * 1000 + 1 },
			{ level: 'info', text: 'a.go:13] next' },
		])
	})
})

describe('indent', () => {
	it('what begins with a blank belongs to the line before; nothing else does', async () => {
		const texts = await grouped(
			'indent',
			['select', '  from orders', '\twhere id = 7', 'Caused by: nothing', '', ' first of nobody', 'end'],
			4,
		)
		expect(texts).toEqual(['select\n  from orders\n\twhere id = 7', 'Caused by: nothing', '\n first of nobody', 'end'])
	})

	it('goes on over a rotation and a restart, and a group without end is cut off and says so', async () => {
		const path = join(podFolder(root), '0.log')
		writeFileSync(path, criLine(1, 'head') + criLine(2, ` ${'x'.repeat(900)}`).repeat(3000))
		const config = { pods: { root, multiline: 'indent' }, lineBytesMax: 1_000_000 }
		collecting = collect(join(folder.path, 'state'), config)
		await collecting.lineCount(1)
		expect(collecting.lines[0]).toMatchObject({ flags: ['truncated'], originalBytes: 4 + 3000 * 902 })
		await collecting.stop()
		appendFileSync(path, criLine(3, 'next') + criLine(4, ' more'))
		collecting = collect(join(folder.path, 'state'), config)
		await collecting.lineCount(1)
		expect(collecting.texts()).toEqual(['next\n more'])
	})
})
