// The page in Chromium, over the real program on the recorded incident: what was really done is seen, by mouse and by keyboard, and by link.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { WireCluster, WirePage } from '#api/wire.ts'
import { openBrowser } from '#test/support/chromium.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'

const folder = temporaryFolder('page')
let program: Program
let address: string
let browser: Browser
let page: Page
const problems: string[] = []

beforeAll(async () => {
	program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', folder.path])
	address = await program.address
	await eventually(
		() => getJson<WirePage<WireCluster>>(address, '/api/v1/clusters'),
		({ items }) => (items[0]?.counts.change ?? 0) + (items[0]?.counts.event ?? 0) >= 2817 && (items[0]?.counts.audit ?? 0) >= 3363,
	)
	browser = await openBrowser()
	page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
	page.on('pageerror', (error) => problems.push(error.message))
	page.on('console', (message) => {
		if (message.type() === 'error') problems.push(message.text())
	})
}, 240_000)
afterAll(async () => {
	await browser?.close()
	program.process.kill('SIGTERM')
	await program.exited
	folder.remove()
})
beforeEach(() => {
	problems.length = 0
})

/** Opens the page at a link and waits until it has loaded its records. */
async function open(link: string): Promise<void> {
	await page.goto('about:blank')
	await page.goto(`${address}/${link}`)
	await page.waitForFunction(
		() =>
			/\d+ records/.test(document.querySelector('.status')?.textContent ?? '') &&
			!document.querySelector('.status')?.textContent?.includes('loading'),
	)
}

describe('the timeline page', () => {
	it('shows the incident at first sight: the acts of people, the object that suffered first', async () => {
		await open('')
		expect(await page.locator('.lane').first().textContent()).toContain('checkout')
		const acts = await page.locator('.acts').textContent()
		expect(acts).toContain('ci-deployer patched deployments.apps shop/checkout')
		expect(acts).toContain('bob-breakglass')
		expect(await page.locator('.coverage summary').textContent()).toContain('complete: revisions 2–2683')
		expect(problems).toEqual([])
	})

	it('opens an object by link, with the diff and who did it', async () => {
		await open(`#/object=${encodeURIComponent('deployments.apps/shop/checkout')}&rev=710`)
		await page.waitForSelector('.diff')
		const detail = await page.locator('.version-detail').textContent()
		expect(detail).toContain('image checkout v2.0.0 → v2.0.1')
		expect(detail).toContain('ci-deployer')
		expect(await page.locator('.diff').textContent()).toContain('spec.template.spec.containers[checkout].image')
		expect(problems).toEqual([])
	})

	it('moves between versions by keyboard, and back with Escape', async () => {
		await open(`#/object=${encodeURIComponent('configmaps/shop/checkout-config')}`)
		await page.waitForSelector('.version')
		const before = page.url()
		await page.keyboard.press('k')
		await page.waitForFunction((url) => location.href !== url, before)
		await page.keyboard.press('Escape')
		await page.waitForFunction(() => !document.querySelector('.object'))
		expect(problems).toEqual([])
	})

	it('filters by words, as a table, and keeps it in the link', async () => {
		await open('')
		await page.keyboard.press('/')
		await page.keyboard.type('kind:ConfigMap name:checkout-config')
		await page.keyboard.press('Enter')
		await page.keyboard.press('Escape')
		await page.keyboard.press('t')
		await page.waitForSelector('.table')
		await page.waitForFunction(() => document.querySelector('.table')?.textContent?.includes('PAYMENT_TIMEOUT 5s → 500ms'))
		expect(page.url()).toContain('view=table')
		expect(decodeURIComponent(page.url())).toContain('kind:ConfigMap')
		expect(problems).toEqual([])
	})

	it('zooms by a brush over the density, and back', async () => {
		await open('')
		const count = async (): Promise<number> => Number(/(\d+) records/.exec((await page.locator('.status').textContent()) ?? '')?.[1])
		const all = await count()
		const box = await page.locator('.density .u-over').boundingBox()
		if (!box) throw new Error('the density is not there')
		await page.mouse.move(box.x + box.width * 0.3, box.y + 20)
		await page.mouse.down()
		await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 })
		await page.mouse.up()
		await page.waitForFunction(() => location.hash.includes('from='))
		await eventually(count, (now) => now < all && now > 0)
		await page.keyboard.press('Escape')
		await eventually(count, (now) => now === all)
		expect(problems).toEqual([])
	})

	it('is accessible: axe finds nothing', async () => {
		const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
		for (const link of ['', '#/view=table&q=is%3Awarning', `#/object=${encodeURIComponent('deployments.apps/shop/checkout')}&rev=710`]) {
			await open(link)
			await page.evaluate(axe)
			const found = await page.evaluate(async () => {
				const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe
				return (await run.run()).violations.map(
					(violation) => `${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`,
				)
			})
			expect(found).toEqual([])
		}
	})
})
