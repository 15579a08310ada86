// The page in Chromium, over the real program on the recorded incident: what was really done is seen, by mouse and by keyboard, and by link.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { WireCoverage } from '#api/wire.ts'
import { openBrowser } from '#test/support/chromium.ts'
import { eventually, getJson, startProgram, temporaryFolder, type Program } from '#test/support/program.ts'
import { clustersOf, isWhole } from '#test/flow/incident.ts'
import { axeFindings, visit, type Visit } from './support.ts'

const folder = temporaryFolder('page')
const link = (object: string, more = ''): string => `#/object=${encodeURIComponent(object)}${more}`
const checkout = 'deployments.apps/shop/checkout'
let program: Program
let browser: Browser
let guest: Visit
let page: Page

beforeAll(async () => {
	program = startProgram(['all-in-one', '--demo', '--port', '0', '--data-dir', folder.path])
	const address = await program.address
	await eventually(() => clustersOf(address), isWhole, 120_000)
	// What was seen whole is said when it is stored.
	await eventually(
		() => getJson<WireCoverage>(address, '/api/v1/coverage?cluster=demo'),
		({ ranges }) => ranges.at(-1)?.to === '2683',
	)
	browser = await openBrowser()
	guest = await visit(browser, address, { width: 1440, height: 900 })
	page = guest.page
}, 240_000)
afterAll(async () => {
	await browser?.close()
	program.process.kill('SIGTERM')
	await program.exited
	folder.remove()
})
beforeEach(() => {
	guest.problems.length = 0
})

const text = async (selector: string): Promise<string> => (await page.locator(selector).first().textContent()) ?? ''
const query = (): URLSearchParams => new URLSearchParams(new URL(page.url()).hash.replace(/^#\/?/, ''))
const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '')

describe('at first sight', () => {
	it('says what broke, what came just before and who did it', async () => {
		await guest.open('')
		await page.waitForSelector('.broke .tier.exact')
		const first = page.locator('.broke li').first()
		await eventually(
			async () => (await first.textContent()) ?? '',
			(said) => said.includes('ci-deployer exact') && said.includes('bob exact'),
		)
		const said = (await first.textContent()) ?? ''
		expect(said).toContain('Deployment shop/checkout')
		expect(said).toContain('CrashLoopBackOff ×11')
		expect(said).toContain('image checkout v2.0.0 → v2.0.1')
		expect(said).toContain('PAYMENT_TIMEOUT 5s → 500ms')
		const objects = await page.locator('.broke .finding:not(.before) b').allTextContents()
		expect(objects.slice(0, 3)).toEqual(['Deployment shop/checkout', 'Deployment payments/payments', 'Deployment shop/catalog'])
		expect(guest.problems).toEqual([])
	})

	it('names exactly the two writes around the API server, the refusals, and what people touched', async () => {
		const trust = await page.locator('.trust li').allTextContents()
		const around = trust.filter((line) => line.includes('no request recorded'))
		expect(new Set(around.map((line) => /(ServiceAccount|ClusterRoleBinding) \S+/.exec(line)?.[0]))).toEqual(
			new Set(['ClusterRoleBinding ops-maintenance', 'ServiceAccount kube-system/maintenance']),
		)
		expect(around.length).toBe(2)
		expect(trust.find((line) => line.includes('bob') && line.includes('refused'))).toContain('create clusterrolebindings')
		expect(trust.find((line) => line.startsWith('alice did'))).toContain('create clusterrolebindings bob-breakglass')
		expect(await text('.headline')).toContain('2 writes without a request')
		expect(await text('.coverage')).toContain('complete: revisions 2..2683')
	})

	it('tells the acts of people in order, each with what came of it; what suffered comes first among the lanes', async () => {
		const acts = await page.locator('.acts li').allTextContents()
		const rollout = acts.find((act) => act.includes('image checkout v2.0.0 → v2.0.1')) ?? ''
		expect(rollout).toContain('16:19:52 ci-deployer patched deployments shop/checkout')
		expect(acts.findIndex((act) => act.includes('bob-breakglass'))).toBeGreaterThan(acts.indexOf(rollout))
		expect(acts.join('\n')).not.toContain('dry run')
		const lanes = await page.locator('.lane-name').evaluateAll((names) => names.slice(0, 2).map((name) => name.textContent))
		expect(lanes[0]).toMatch(/^Deploymentcheckoutshop▲2/)
		expect(lanes[1]).toMatch(/^Podcheckout-6fbf495b87-p6fc2▲26 warnings of /)
	})

	it('opens what a line of the summary names', async () => {
		await page.locator('.trust .finding', { hasText: 'ops-maintenance created' }).click()
		await page.waitForSelector('.version')
		expect(query().get('object')).toBe('clusterrolebindings.rbac.authorization.k8s.io/-/ops-maintenance')
		expect(query().get('rev')).toBe('1141')
		await page.keyboard.press('Escape')
		await page.waitForSelector('.standout')
		expect(guest.problems).toEqual([])
	})
})

describe('one object', () => {
	it('opens by link, with the diff, who did it, and the bound of its time', async () => {
		await guest.open(link(checkout, '&rev=710'))
		await page.waitForSelector('.diff')
		const detail = await text('.version-detail')
		expect(detail).toContain('image checkout v2.0.0 → v2.0.1')
		expect(detail).toMatch(/2026-11-23 16:19:52\.744031Z ±1\.3 s/)
		expect(detail).toContain('ci-deployer patch exact')
		expect(await text('.diff')).toContain('spec.template.spec.containers[checkout].image')
		expect([await text('.diff del mark'), await text('.diff ins mark')]).toEqual(['0', '1'])
		await page.waitForSelector('.version[aria-current=true]')
		expect(await text('.version[aria-current=true] .revision')).toBe('rev 710')
		expect(guest.problems).toEqual([])
	})

	it('compares with any version, and keeps it in the link', async () => {
		await page.locator('.tabs select').selectOption('363')
		await page.waitForFunction(() => document.querySelector('.diff caption')?.textContent?.includes('since revision 363'))
		expect(query().get('base')).toBe('363')
		expect(await text('.diff')).toContain('status.availableReplicas')
	})

	it('shows the whole object as YAML and copies it', async () => {
		await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
		await page.keyboard.press('y')
		await page.waitForSelector('.yaml code')
		await page.getByRole('button', { name: 'Copy YAML' }).click()
		await page.waitForFunction(() => document.querySelector('.body-bar')?.textContent?.includes('copied'))
		const { parse } = await import('yaml')
		const copied = parse(await page.evaluate(() => navigator.clipboard.readText())) as {
			metadata: { name: string; resourceVersion: string }
		}
		expect(copied.metadata).toMatchObject({ name: 'checkout', resourceVersion: '710' })
		expect(query().get('show')).toBe('whole')
	})

	it('says of Secrets which values changed and which are the same, never what they are', async () => {
		await guest.go(link('secrets/payments/payment-gateway', '&rev=1102'))
		await page.waitForFunction(() => document.querySelector('.version-detail')?.textContent?.includes('the same'))
		const detail = await text('.version-detail')
		expect(detail).toMatch(/data\.api-key\s*changed/)
		expect(detail).toContain('the same: webhook-secret')
		expect(detail).not.toContain('hmac')
		expect(detail).toContain('unresolved')
	})
})

describe('by keyboard and by link', () => {
	it('moves among lanes, opens, moves among versions, and back with Escape', async () => {
		await guest.go('#/')
		await page.keyboard.press('j')
		await page.keyboard.press('ArrowDown')
		await eventually(focused, (name) => name.includes('-p6fc2'))
		await page.keyboard.press('Enter')
		await page.waitForSelector('.version[aria-current=true]')
		expect(query().get('object')).toMatch(/^pods\/shop\/checkout-6fbf495b87-p6fc2/)
		const before = query().get('rev')
		await page.keyboard.press('j')
		await page.waitForFunction((revision) => !location.hash.includes(`rev=${revision}`), before)
		await eventually(focused, (name) => name.includes('rev '))
		await page.keyboard.press('Escape')
		await page.waitForFunction(() => !document.querySelector('.object'))
		await page.keyboard.press('?')
		expect(await text('dialog')).toContain('filter')
		await page.keyboard.press('Escape')
		await page.waitForFunction(() => !document.querySelector('dialog'))
		expect(guest.problems).toEqual([])
	})

	it('takes a key that is pressed as soon as the one before shows', async () => {
		await guest.go('#/')
		const shown = await page.evaluate(async () => {
			const press = (key: string): boolean => window.dispatchEvent(new KeyboardEvent('keydown', { key }))
			press('?')
			// No frame is painted in between.
			for (let turn = 0; turn < 1000 && !document.querySelector('dialog'); turn++) await Promise.resolve()
			const before = document.querySelector('dialog')?.open
			press('Escape')
			return before
		})
		expect(shown).toBe(true)
		await page.waitForFunction(() => !document.querySelector('dialog'))
	})

	it('filters by words, as a table, and keeps it in the link', async () => {
		await guest.go('#/')
		await page.keyboard.press('/')
		await page.keyboard.type('kind:ConfigMap name:checkout-config')
		await page.keyboard.press('Enter')
		await page.keyboard.press('Escape')
		await page.keyboard.press('t')
		await page.waitForFunction(() => document.querySelector('.table')?.textContent?.includes('PAYMENT_TIMEOUT 5s → 500ms'))
		expect([query().get('view'), query().get('q')]).toEqual(['table', 'kind:ConfigMap name:checkout-config'])
		// The summary is of the whole, not of what is filtered.
		expect(await text('.headline')).toContain('2 writes without a request')
		expect(guest.problems).toEqual([])
	})

	it('zooms by a brush over the density, by keys, and back', async () => {
		await guest.go('#/')
		const all = await guest.records()
		const box = await page.locator('.density .u-over').boundingBox()
		if (!box) throw new Error('the density is not there')
		await page.mouse.move(box.x + box.width * 0.3, box.y + 20)
		await page.mouse.down()
		await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 })
		await page.mouse.up()
		await page.waitForFunction(() => location.hash.includes('from='))
		const some = await eventually(guest.records, (now) => now < all && now > 0)
		await guest.ready()
		await page.keyboard.press('-')
		await eventually(guest.records, (now) => now > some)
		await page.keyboard.press('Escape')
		await eventually(guest.records, (now) => now === all)
		expect(guest.problems).toEqual([])
	})

	it('goes back and forward through the views, and a copied link shows the same', async () => {
		await guest.go('#/view=table&q=ns%3Ashop')
		const filtered = await guest.records()
		await page.locator('.record:not([aria-disabled=true])').first().click()
		await page.waitForSelector('.version')
		const copied = new URL(page.url()).hash
		await page.goBack()
		await page.waitForFunction(() => !document.querySelector('.object'))
		expect(query().get('q')).toBe('ns:shop')
		await page.goForward()
		await page.waitForSelector('.version')
		const shown = await text('.object header')
		await guest.open(copied)
		await eventually(
			() => text('.object header'),
			(header) => header === shown,
		)
		expect(await guest.records()).toBe(filtered)
	})
})

describe('for everybody', () => {
	const short = 'from=2026-11-23T16:19:45Z&to=2026-11-23T16:20:10Z'
	const views = [
		`#/${short}`,
		`#/view=table&${short}`,
		link(checkout, `&rev=710&${short}`),
		link(checkout, `&show=whole&${short}`),
		`#/panel=coverage&${short}`,
	]

	it.each(['light', 'dark'] as const)('is accessible in the %s scheme: axe finds nothing', async (colorScheme) => {
		await page.emulateMedia({ colorScheme })
		for (const view of ['#/', ...views.slice(1)]) {
			await guest.go(view)
			if (view.includes('object')) await page.waitForSelector(view.includes('whole') ? '.yaml code' : '.diff')
			expect([view, await axeFindings(page)]).toEqual([view, []])
		}
	})

	it('fits a small laptop and a phone: nothing is wider than the window', async () => {
		for (const [width, height] of [
			[1024, 768],
			[390, 844],
		] as const) {
			await page.setViewportSize({ width, height })
			for (const view of views) {
				await guest.go(view)
				const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
				expect([width, view, Math.max(0, beyond)]).toEqual([width, view, 0])
			}
		}
	})
})
