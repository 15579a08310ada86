// The alert rules under promtool: right by its own check, and each fires on the series that should set it off and stays quiet on those that should not.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { alerts, runbookOf } from '#tools/alerts.ts'
import { rows } from '#tools/grafana.ts'
import { serversDir } from '#test/support/cluster.ts'
import { temporaryFolder } from '#test/support/program.ts'
import { cases } from './alert-cases.ts'

const run = promisify(execFile)
const rules = resolve('deploy/prometheus/alerts.yaml')
const folder = temporaryFolder('promtool')
afterAll(() => folder.remove())
const promtool = (...args: readonly string[]) => run(join(serversDir, 'promtool'), [...args])

/** When it is asked: after the longest wait of a rule. */
const evalTime = '60m'

function caseOf(name: string, series: Readonly<Record<string, string>>, expected: readonly object[]): object {
	return {
		interval: '1m',
		input_series: Object.entries(series).map(([key, values]) => ({ series: key, values })),
		alert_rule_test: [{ alertname: name, eval_time: name === 'KubetapeVersionsDiffer' ? '65m' : evalTime, exp_alerts: expected }],
	}
}

async function tried(tests: readonly object[]): Promise<string> {
	const file = join(folder.path, 'tests.yaml')
	writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests }))
	return (await promtool('test', 'rules', file)).stdout
}

describe('the alert rules', () => {
	it('are right', async () => {
		expect((await promtool('check', 'rules', '--lint=all', '--lint-fatal', rules)).stdout).toContain(`${alerts.length} rules found`)
	})

	it.each(alerts)('$name fires when it should, and only then', async ({ name, severity, summary }) => {
		const { fires, quiet, labels } = cases[name] ?? { fires: {}, quiet: {}, labels: {} }
		const alert = {
			exp_labels: { severity, ...labels },
			exp_annotations: { summary, runbook: `docs/guides/runbooks/${runbookOf(name)}.md` },
		}
		expect(await tried([caseOf(name, fires, [alert]), caseOf(name, quiet, [])])).toContain('SUCCESS')
	})

	it('are really tried: a case that says the contrary fails', async () => {
		const { fires } = cases['KubetapeCollectPaused'] ?? { fires: {} }
		await expect(tried([caseOf('KubetapeCollectPaused', fires, [])])).rejects.toThrow('FAILED')
	})
})

describe('the dashboard', () => {
	it('asks what Prometheus understands', async () => {
		const queries = rows.flatMap(({ panels }) => panels.flatMap((panel) => Object.values(panel.queries)))
		const file = join(folder.path, 'queries.yaml')
		const recorded = queries.map((expr, index) => ({
			record: `query:number${index}`,
			expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '6h'),
		}))
		writeFileSync(file, stringify({ groups: [{ name: 'queries', rules: recorded }] }))
		expect((await promtool('check', 'rules', file)).stdout).toContain(`${queries.length} rules found`)
		expect(JSON.parse(readFileSync('deploy/grafana/kubetape.json', 'utf8'))).toMatchObject({ uid: 'kubetape' })
	})
})
