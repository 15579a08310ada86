// The page in Chromium over 100,000 records against the same page over 5,000: the longest task of each step in CPU time, requests, memory, and the size of what is sent.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { CDPSession, Page } from 'playwright-core'
import { buildPage } from '#dashboards/web/build.ts'
import { busyCluster, fillBusyStore } from '#test/dashboards/busy-store.ts'
import { servePage } from '#test/dashboards/support.ts'
import { openBrowser } from '#test/support/chromium.ts'

export const name = 'the page'

const many = Number(process.env['KUBETAPE_BENCH_RECORDS'] ?? 100_000)
const few = 5000
const leader = `#/object=${encodeURIComponent('configmaps/team-1/leader')}`

interface Step {
	readonly what: string
	readonly act: (page: Page, address: string) => Promise<unknown>
}

interface Measured {
	readonly wallMs: number
	/** Of the page's main thread, longest first. */
	readonly taskCpuMs: number
	readonly taskWallMs: number
	readonly requests: number
	readonly heapMb: number
}

const ready = (page: Page): Promise<unknown> => page.waitForSelector('.status[data-busy=false]')

async function centre(page: Page, selector: string): Promise<{ readonly x: number; readonly y: number; readonly width: number }> {
	const box = await page.locator(selector).boundingBox()
	if (!box) throw new Error(`${selector} is not there`)
	return { x: box.x, y: box.y + Math.min(40, box.height / 2), width: box.width }
}

async function wheel(page: Page, selector: string, by: number): Promise<void> {
	const { x, y, width } = await centre(page, selector)
	await page.mouse.move(x + width / 2, y)
	for (let turn = 0; turn < 20; turn++) {
		await page.mouse.wheel(0, by)
		await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
	}
}

const steps: readonly Step[] = [
	{ what: 'first lane', act: async (page, address) => (await page.goto(`${address}/`), page.waitForSelector('.lane')) },
	{ what: 'everything held', act: ready },
	{ what: 'scroll lanes', act: (page) => wheel(page, '.lanes', 600) },
	{
		what: 'filter',
		act: async (page) => {
			await page.locator('.filter').fill('ns:team-3 is:warning')
			await page.keyboard.press('Enter')
			await ready(page)
			await page.locator('.filter').fill('')
			await page.keyboard.press('Enter')
			await ready(page)
			await page.keyboard.press('Escape')
		},
	},
	{
		what: 'brush',
		act: async (page) => {
			const { x, y, width } = await centre(page, '.density .u-over')
			await page.mouse.move(x + width * 0.3, y)
			await page.mouse.down()
			await page.mouse.move(x + width * 0.35, y, { steps: 5 })
			await page.mouse.up()
			await page.waitForFunction(() => location.hash.includes('from='))
			await ready(page)
			await page.keyboard.press('Escape')
			await ready(page)
		},
	},
	{
		what: 'table, scrolled',
		act: async (page) => {
			await page.keyboard.press('t')
			await page.waitForSelector('.record')
			await wheel(page, '.records', 4000)
		},
	},
	{
		what: 'object, 20 versions',
		act: async (page) => {
			await page.evaluate((hash) => (location.hash = hash), leader)
			await page.waitForSelector('.diff')
			for (let version = 0; version < 20; version++) await page.keyboard.press('j')
			await page.waitForFunction(() => document.querySelector('.diff caption') !== null)
		},
	},
]

interface TraceEvent {
	readonly name: string
	readonly pid: number
	readonly tid: number
	readonly dur?: number
	readonly tdur?: number
	readonly args?: { readonly name?: string }
}

/** The longest task of a renderer's main thread while `act` runs, by Chromium's own trace. */
async function traced(cdp: CDPSession, act: () => Promise<unknown>): Promise<Pick<Measured, 'taskCpuMs' | 'taskWallMs' | 'wallMs'>> {
	const events: TraceEvent[] = []
	const collect = (part: { readonly value: readonly object[] }): void => void events.push(...(part.value as readonly TraceEvent[]))
	cdp.on('Tracing.dataCollected', collect)
	await cdp.send('Tracing.start', {
		transferMode: 'ReportEvents',
		categories: 'toplevel,devtools.timeline,disabled-by-default-devtools.timeline',
	})
	const began = performance.now()
	await act()
	const wallMs = performance.now() - began
	const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve))
	await cdp.send('Tracing.end')
	await complete
	cdp.off('Tracing.dataCollected', collect)
	const mains = new Set(
		events.filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain').map(({ pid, tid }) => `${pid}/${tid}`),
	)
	const tasks = events.filter((event) => event.name === 'RunTask' && mains.has(`${event.pid}/${event.tid}`))
	const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0) / 1000
	return { wallMs, taskCpuMs: most(tasks.map(({ tdur }) => tdur ?? 0)), taskWallMs: most(tasks.map(({ dur }) => dur ?? 0)) }
}

async function measure(records: number): Promise<ReadonlyMap<string, Measured>> {
	await using served = await servePage((store) => fillBusyStore(store, records), [{ name: busyCluster, replay: true }])
	const browser = await openBrowser()
	try {
		const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
		const cdp = await page.context().newCDPSession(page)
		await cdp.send('Performance.enable')
		let requests = 0
		page.on('request', (request) => (requests += request.url().includes('/api/') ? 1 : 0))
		const found = new Map<string, Measured>()
		for (const { what, act } of steps) {
			requests = 0
			const times = await traced(cdp, () => act(page, served.address))
			const { metrics } = await cdp.send('Performance.getMetrics')
			const heapMb = (metrics.find((metric) => metric.name === 'JSHeapUsedSize')?.value ?? 0) / 1e6
			found.set(what, { ...times, requests, heapMb })
		}
		return found
	} finally {
		await browser.close()
	}
}

export async function run(print: (line: string) => void): Promise<void> {
	const assets = join(await buildPage(), 'assets')
	for (const file of readdirSync(assets)) {
		const bytes = readFileSync(join(assets, file))
		print(`${file.replace(/-[^.]*/, '')}: ${Math.round(bytes.length / 1000)} kB, ${Math.round(gzipSync(bytes).length / 1000)} kB packed`)
	}
	const small = await measure(few)
	const large = await measure(many)
	print(`longest task of the page in CPU ms (wall ms), ${many} records against ${few}:`)
	for (const [what, { taskCpuMs, taskWallMs, wallMs, requests, heapMb }] of large) {
		const peer = small.get(what)
		const ratio = peer && peer.taskCpuMs > 0 ? ` = ${(taskCpuMs / peer.taskCpuMs).toFixed(1)} ×` : ''
		print(
			`  ${what.padEnd(20)} ${taskCpuMs.toFixed(0)} (${taskWallMs.toFixed(0)}) : ${peer?.taskCpuMs.toFixed(0)} (${peer?.taskWallMs.toFixed(0)})${ratio}; ` +
				`${Math.round(wallMs)} ms in all, ${requests} requests, heap ${Math.round(heapMb)} MB`,
		)
	}
}
