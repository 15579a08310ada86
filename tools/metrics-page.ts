// The reference page of metrics, from where the code makes them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface DeclaredMetric {
	readonly name: string
	readonly type: 'counter' | 'gauge' | 'histogram'
	readonly help: string
	readonly labels: readonly string[]
}

const folders = ['api', 'cli', 'collectors', 'processors', 'runtime', 'storage']
const declaration =
	/\.(counter|gauge|histogram)\(\s*'(kubetape_\w+)',\s*'((?:[^'\\]|\\.)*)'((?:\s*,\s*(?:\[[^\]]*\]|'\w+'|\w+))*)\s*,?\s*\)/g
const argument = /\[[^\]]*\]|'\w+'|\w+/g
const mention = /'(kubetape_[a-z0-9_]+)'/g

function sources(): readonly string[] {
	return folders.flatMap((folder) =>
		(readdirSync(folder, { recursive: true }) as string[])
			.filter((name) => name.endsWith('.ts'))
			.map((name) => readFileSync(join(folder, name), 'utf8')),
	)
}

/** The list of labels among the arguments behind the help text: a histogram has its buckets before it. */
function labelsOf(type: string | undefined, rest: string): readonly string[] {
	const list = [...rest.matchAll(argument)][type === 'histogram' ? 1 : 0]?.[0] ?? ''
	return [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '')
}

/** Every metric that the code makes, by name. Throws where one is named in a way that is not found. */
export function declaredMetrics(texts = sources()): readonly DeclaredMetric[] {
	const found = new Map<string, DeclaredMetric>()
	for (const text of texts) {
		for (const [, type, name = '', help = '', rest = ''] of text.matchAll(declaration))
			found.set(name, { name, type: type as DeclaredMetric['type'], help, labels: labelsOf(type, rest) })
	}
	for (const text of texts)
		for (const [, name = ''] of text.matchAll(mention))
			if (!found.has(name)) throw new Error(`${name} is named, and not made as tools/metrics-page.ts reads it`)
	return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export function metricsPage(notice: string): string {
	const rows = declaredMetrics().map(
		({ name, type, help, labels }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
	)
	return `# Metrics\n\n${notice}\n\n\`GET /metrics\` answers them in Prometheus' text format, of every role that runs in the process. A metric is there from its first use on. Each process also tells \`process_…\` and \`nodejs_…\`, as every client of Prometheus for Node does.\n\n| name | type | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`
}
