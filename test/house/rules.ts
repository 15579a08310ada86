// The house rules as functions over one file's path and text: who may import whom, one client one folder, sizes, names, first lines, forbidden words of code.

export interface SourceFile {
	readonly path: string
	readonly text: string
}

interface Rule {
	readonly name: string
	/** What is wrong with the file; empty where nothing is. */
	readonly check: (file: SourceFile) => readonly string[]
	/** A file that this rule must catch. */
	readonly planted: SourceFile
}

const linesMax = 400
const importPattern =
	/(?:^|\n)\s*(?:import|export)\s[^'"\n]*?(?:\{[^}]*\}[^'"\n]*?)?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g

export function importsOf(text: string): readonly string[] {
	return [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** May be imported by files whose path begins so. Only `#` imports are checked: within a folder everything may import everything. */
const table: readonly (readonly [from: RegExp, may: readonly RegExp[]])[] = [
	[/^records\//, [/^records\//]],
	[/^history\//, [/^records\//, /^history\//]],
	[/^runtime\//, [/^runtime\//]],
	[/^storage\/\w+\/port\.ts$/, [/^records\//]],
	[/^storage\/store\/[\w-]+\.ts$/, [/^storage\/store\/port\.ts$/, /^records\//, /^runtime\//]],
	[/^storage\/(log)\/\w+\//, [/^storage\/log\/port\.ts$/, /^records\//, /^runtime\//]],
	[/^storage\/(store)\/\w+\//, [/^storage\/store\/[\w-]+\.ts$/, /^records\//, /^runtime\//]],
	[/^storage\/(queue)\/\w+\//, [/^storage\/queue\/port\.ts$/, /^records\//, /^runtime\//]],
	[/^collectors\/replay\//, [/^records\//, /^runtime\//, /^collectors\//]],
	[/^collectors\//, [/^records\//, /^runtime\//, /^collectors\/tail\//, /^collectors\/[\w-]+\.ts$/]],
	[
		/^processors\/index\//,
		[/^records\//, /^history\//, /^runtime\//, /^storage\/\w+\/port\.ts$/, /^processors\/(step\.ts$|describe\/|enrich\/)/],
	],
	[/^processors\//, [/^records\//, /^history\//, /^runtime\//, /^storage\/\w+\/port\.ts$/, /^processors\/step\.ts$/]],
	[/^api\//, [/^records\//, /^history\//, /^runtime\//, /^storage\/(store|queue)\/port\.ts$/, /^api\//]],
	[/^dashboards\//, [/^records\//, /^api\/wire\.ts$/, /^dashboards\//]],
	[/^cli\//, [/./]],
	[/^test\//, [/./]],
	[/^bench\//, [/./]],
	[/^tools\//, [/./]],
]

/** Where each client may be loaded. */
const clients: Readonly<Record<string, RegExp>> = {
	'node:sqlite': /^(storage\/\w+\/sqlite\/|collectors\/local-state\.ts$)/,
	etcd3: /^collectors\/etcd\//,
	'@grpc/grpc-js': /^collectors\/etcd\//,
	protobufjs: /^bench\//,
	'@kubernetes/client-node': /^(collectors\/kubernetes\/|api\/access\/)/,
	kafkajs: /^storage\/log\/kafka\//,
	'@elastic/elasticsearch': /^storage\/store\/elasticsearch\//,
	bullmq: /^storage\/queue\/bullmq\//,
	fastify: /^api\//,
	'@fastify/static': /^api\//,
	preact: /^dashboards\/web\//,
	uplot: /^dashboards\/web\//,
	vite: /^dashboards\/web\//,
	commander: /^cli\//,
	pino: /^runtime\//,
	'prom-client': /^(runtime|cli)\//,
	vega: /^test\//,
	'vega-lite': /^test\//,
	yaml: /^(runtime|cli|processors\/redact)\//,
}

const product = /^(records|history|collectors|processors|storage|api|dashboards|runtime|cli)\//
const isCode = (path: string): boolean => /\.(ts|tsx|mjs)$/.test(path)
const isGenerated = (path: string): boolean => /generated|catalog-built-in\.ts$/.test(path)

function packageOf(specifier: string): string {
	if (specifier.startsWith('node:')) return specifier
	return specifier
		.split('/')
		.slice(0, specifier.startsWith('@') ? 2 : 1)
		.join('/')
}

const code = (name: string, planted: SourceFile, check: Rule['check']): Rule => ({
	name,
	planted,
	check: (file) => (isCode(file.path) ? check(file) : []),
})
const matching = (name: string, planted: SourceFile, where: RegExp, pattern: RegExp, message: string): Rule =>
	code(name, planted, ({ path, text }) => (where.test(path) && pattern.test(text) ? [message] : []))

export const rules: readonly Rule[] = [
	code('import table', { path: 'records/planted.ts', text: "// x\nimport { a } from '#runtime/clock.ts'\n" }, ({ path, text }) => {
		const may = table.find(([from]) => from.test(path))?.[1] ?? []
		return importsOf(text)
			.filter((specifier) => specifier.startsWith('#'))
			.map((specifier) => specifier.slice(1))
			.filter((target) => !may.some((allowed) => allowed.test(target)) && !sameFolder(path, target))
			.map((target) => `may not import ${target}`)
	}),
	code('nobody imports cli', { path: 'api/planted.ts', text: "// x\nimport { a } from '#cli/config.ts'\n" }, ({ path, text }) =>
		/^(cli|test|bench|tools)\//.test(path)
			? []
			: importsOf(text)
					.filter((specifier) => specifier.startsWith('#cli/'))
					.map((specifier) => `imports ${specifier}`),
	),
	code(
		'one client, one folder',
		{ path: 'processors/index/planted.ts', text: "// x\nimport { DatabaseSync } from 'node:sqlite'\n" },
		({ path, text }) =>
			product.test(path)
				? importsOf(text)
						.map(packageOf)
						.filter((name) => clients[name] !== undefined && !clients[name].test(path))
						.map((name) => `loads ${name}, which has its own folder`)
				: [],
	),
	code('no way up', { path: 'api/routes/planted.ts', text: "// x\nimport { a } from '../app.ts'\n" }, ({ text }) =>
		importsOf(text)
			.filter((specifier) => specifier.startsWith('../') && specifier !== '../tools/run.mjs')
			.map((specifier) => `imports ${specifier}: across folders it is #folder/file.ts`),
	),
	code('file size', { path: 'records/planted.ts', text: `// x\n${'a\n'.repeat(linesMax + 1)}` }, ({ path, text }) => {
		const lines = text.split('\n').length
		return !isGenerated(path) && lines > linesMax ? [`${lines} lines: split it by what it does (at most ${linesMax})`] : []
	}),
	code('first line', { path: 'records/planted.ts', text: 'export const a = 1\n' }, ({ path, text }) =>
		isGenerated(path) || /^(#![^\n]*\n)?\/\/ \S/.test(text) ? [] : ['the first line says what the file is for, in a // comment'],
	),
	{
		name: 'names',
		planted: { path: 'records/plantedFile.ts', text: '// x\n' },
		check: ({ path }) =>
			isCode(path) && !path.split('/').every((part) => /^\.?[a-z0-9]+([.-][a-z0-9]+)*$/.test(part))
				? ['files and folders are kebab-case']
				: [],
	},
	matching(
		'no any',
		{ path: 'records/planted.ts', text: '// x\nexport const a: any = 1\n' },
		/^(?!test\/house\/)/,
		/[:<,]\s*any\s*[,;)=>\]|&{\n]|\bas any\b/,
		'no any: unknown at the edges, and a parser behind it',
	),
	matching(
		'no enum',
		{ path: 'records/planted.ts', text: '// x\nexport enum A { b }\n' },
		product,
		/(^|\n)\s*(export\s+)?(const\s+)?enum\s/,
		'string unions instead of enums',
	),
	matching(
		'clock is passed in',
		{ path: 'api/planted.ts', text: '// x\nexport const a = Date.now()\n' },
		/^(records|history|collectors|processors|storage|api|cli)\//,
		/\bDate\.now\(\)|\bnew Date\(\)|\bMath\.random\(\)/,
		'time and chance are passed in (runtime/clock.ts)',
	),
	matching(
		'environment is read in one place',
		{ path: 'api/planted.ts', text: "// x\nexport const a = process.env['A']\n" },
		/^(records|history|collectors|processors|storage|api|runtime)\//,
		/process\.env/,
		'the environment is read in cli only',
	),
	matching(
		'nothing left behind',
		{ path: 'api/planted.ts', text: '// x\n// FIXME: later\n' },
		/^(?!test\/house\/)/,
		/\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-nocheck/,
		'unfinished business',
	),
	matching(
		'no skipped test',
		{ path: 'test/planted.test.ts', text: "// x\nit.skip('a', () => {})\n" },
		/^test\/(?!house\/)/,
		/\b(it|test|describe)\.(skip|only|todo|skipIf|runIf)\b/,
		'a skipped test reads like a pass',
	),
	matching(
		'empty catch says why',
		{ path: 'api/planted.ts', text: '// x\ntry { a() } catch {}\n' },
		product,
		/catch\s*(\([^)]*\))?\s*\{\s*\}/,
		'nothing is swallowed without a word',
	),
]

function sameFolder(path: string, target: string): boolean {
	const [top, second] = path.split('/')
	const depth = top === 'collectors' || top === 'processors' ? 2 : 1
	return depth === 1 ? target.startsWith(`${top}/`) && top !== 'storage' : target.startsWith(`${top}/${second}/`)
}

export function violations(files: readonly SourceFile[]): readonly string[] {
	return files.flatMap((file) => rules.flatMap((rule) => rule.check(file).map((message) => `${file.path}: ${rule.name}: ${message}`)))
}
