// The page for tests: the API over a store of its own in this process with the built page, Chromium in front of it, and what every test does with it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { createApi } from '#api/app.ts'
import { buildPage } from '#dashboards/web/build.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { temporaryFolder } from '#test/support/program.ts'

export interface ServedPage extends AsyncDisposable {
	readonly address: string
	readonly store: Store
	/** Folder of the store. */
	readonly dir: string
	/** The store fails in every answer with this; undefined: it answers again. */
	failWith(error: Error | undefined): void
	/** Stops listening; `start` listens on the same port again. */
	stop(): Promise<void>
	start(): Promise<void>
}

/** `clusters` are named as if they were configured. */
export async function servePage(
	fill: (store: Store) => Promise<unknown>,
	clusters: readonly { readonly name: string; readonly replay: boolean }[],
): Promise<ServedPage> {
	const folder = temporaryFolder('page-store')
	const store = await openSqliteStore({ dir: folder.path, clock: systemClock })
	await fill(store)
	const webRoot = await buildPage()
	let failure: Error | undefined
	const failing = new Proxy(store, {
		get(target, name) {
			const member: unknown = Reflect.get(target, name)
			if (typeof member !== 'function') return member
			return async (...args: unknown[]): Promise<unknown> => {
				if (failure && name !== 'clusters') throw failure
				return (member as (...args: unknown[]) => unknown).apply(target, args)
			}
		},
	})
	const open = (): Promise<FastifyInstance> =>
		createApi({
			store: failing,
			clock: systemClock,
			metrics: { render: async () => '' },
			health: { live: () => ({ ok: true, parts: {} }), ready: async () => ({ ok: true, parts: {} }) },
			clusters,
			logger: silentLogger,
			version: 'test',
			webRoot,
		})
	let api = await open()
	const address = await api.listen({ host: '127.0.0.1', port: 0 })
	return {
		address,
		store,
		dir: folder.path,
		failWith: (error) => (failure = error),
		stop: () => api.close(),
		async start() {
			api = await open()
			await api.listen({ host: '127.0.0.1', port: Number(new URL(address).port) })
		},
		async [Symbol.asyncDispose]() {
			await api.close()
			await store[Symbol.asyncDispose]()
			folder.remove()
		},
	}
}

export interface Visit {
	readonly page: Page
	/** Exceptions, errors on the console (a refused script or style among them) and requests to other origins. Empty it between tests. */
	readonly problems: string[]
	/** Opens the page anew at a link and waits until it has loaded what it shows. */
	open(link: string): Promise<void>
	/** Follows a link within the open page. */
	go(link: string): Promise<void>
	/** Until nothing is being loaded. */
	ready(): Promise<void>
	/** `5471` of the line above the lanes. */
	readonly records: () => Promise<number>
}

export async function visit(browser: Browser, address: string, size: { readonly width: number; readonly height: number }): Promise<Visit> {
	const page = await browser.newPage({ viewport: size })
	page.setDefaultTimeout(45_000)
	const problems: string[] = []
	page.on('pageerror', (error) => problems.push(error.message))
	page.on('console', (message) => {
		if (message.type() === 'error') problems.push(message.text())
	})
	page.on('request', (request) => {
		if (!/^(data|blob|about):/.test(request.url()) && new URL(request.url()).origin !== address) problems.push(`asked ${request.url()}`)
	})
	const ready = async (): Promise<void> => {
		await page.waitForSelector('.status[data-busy=false]')
	}
	return {
		page,
		problems,
		ready,
		async open(link) {
			await page.goto('about:blank')
			await page.goto(`${address}/${link}`)
			await ready()
		},
		async go(link) {
			await page.evaluate((hash) => (location.hash = hash), link)
			// The page hears of it, and draws.
			await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
			await ready()
		},
		async records() {
			return Number(/^([\d,]+) /.exec((await page.locator('.status').textContent()) ?? '')?.[1]?.replaceAll(',', ''))
		},
	}
}

interface Axe {
	run(): Promise<{
		readonly violations: readonly {
			readonly id: string
			readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
		}[]
	}>
}

/** What axe finds wrong with the page as it is. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
	await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
	return page.evaluate(async () => {
		const { violations } = await (window as unknown as { axe: Axe }).axe.run()
		return violations.flatMap(({ id, nodes }) =>
			nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
		)
	})
}
