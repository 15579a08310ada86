// Alerts and dashboard speak of metrics that the program has, with labels that these have; each alert has its page, and each page says what to do.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { alerts, runbookOf } from '#tools/alerts.ts'
import { grafanaDashboard, rows } from '#tools/grafana.ts'
import { declaredMetrics } from '#tools/metrics-page.ts'
import { cases } from './alert-cases.ts'

const declared = new Map(declaredMetrics().map((metric) => [metric.name, metric]))
/** Labels that a query may use of each metric: its own, those that every scrape adds, and a histogram's bound. */
const common = ['instance', 'job', 'le', 'on', 'by']
const expressions = [
	...alerts.map(({ name, expr }) => [name, expr] as const),
	...rows.flatMap(({ panels }) => panels.flatMap(({ title, queries }) => Object.values(queries).map((expr) => [title, expr] as const))),
]

describe.each(expressions)('%s: %s', (_name, expr) => {
	const names = [...expr.matchAll(/\bkubetape_\w+/g)].map(([name]) => name)
	const metrics = names.map((name) => declared.get(name) ?? declared.get(name.replace(/_(bucket|count|sum)$/, '')))

	it('names metrics that there are', () => {
		expect(names.filter((_, index) => metrics[index] === undefined)).toEqual([])
		for (const [index, name] of names.entries())
			if (/_(bucket|count|sum)$/.test(name) && !declared.has(name)) expect(metrics[index]?.type).toBe('histogram')
	})

	it('names labels that they have', () => {
		const labels = new Set([...common, ...metrics.flatMap((metric) => metric?.labels ?? [])])
		const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
		const selected = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) =>
			[...list.matchAll(/(\w+)\s*[!=]/g)].map(([, label = '']) => label),
		)
		expect([...grouped, ...selected].filter((label) => !labels.has(label))).toEqual([])
	})
})

describe('every metric', () => {
	it('that tells of trouble or delay is looked at', () => {
		const text = expressions.map(([, expr]) => expr).join('\n')
		const watched = [...declared.keys()].filter((name) =>
			/reject|fail|lost|stuck|paused|lag|refused|seconds|damage|spool|free|rejoin|again|oversize/.test(name),
		)
		expect(watched.length).toBeGreaterThan(12)
		expect(watched.filter((name) => !text.includes(name) && name !== 'kubetape_process_last_put_timestamp_seconds')).toEqual([])
	})
})

describe('alerts', () => {
	it.each(alerts)('$name has its page, which says what it means, what to look at and what to do', ({ name, summary }) => {
		const page = readFileSync(`docs/guides/runbooks/${runbookOf(name)}.md`, 'utf8')
		expect(page).toContain(`# ${name}\n\n${summary}\n`)
		for (const heading of ['## What it means', '## What to look at', '## What to do']) expect(page).toContain(`${heading}\n\n`)
		expect(page.split('\n').length).toBeLessThan(60)
	})

	it('have no page too many', () => {
		const pages = readdirSync('docs/guides/runbooks').filter((name) => name !== 'README.md')
		expect(new Set(pages)).toEqual(new Set(alerts.map(({ name }) => `${runbookOf(name)}.md`)))
	})

	it('are tried, each with series that set it off and series that do not', () => {
		expect(Object.keys(cases).toSorted()).toEqual(alerts.map(({ name }) => name).toSorted())
	})
})

describe('the dashboard', () => {
	const { panels } = grafanaDashboard() as {
		readonly panels: readonly { readonly id: number; readonly gridPos: { x: number; y: number; w: number; h: number } }[]
	}

	it('has no two panels at one place, and none beside it', () => {
		const taken = new Map<string, number>()
		for (const { id, gridPos } of panels) {
			expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
			for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
				for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
					expect(taken.get(`${x} ${y}`), `panel ${id} at ${x} ${y}`).toBeUndefined()
					taken.set(`${x} ${y}`, id)
				}
		}
		expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
	})
})
