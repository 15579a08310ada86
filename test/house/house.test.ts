// The tree keeps the house rules, and each rule sees a planted violation.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorRegistry } from '#runtime/errors.ts'
import { importsOf, rules, violations, type SourceFile } from './rules.ts'

const folders = [
	'records',
	'history',
	'collectors',
	'processors',
	'storage',
	'api',
	'dashboards',
	'runtime',
	'cli',
	'test',
	'bench',
	'tools',
]

function filesOf(dir: string): readonly SourceFile[] {
	return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
		const path = join(dir, entry.name)
		if (entry.isDirectory())
			return entry.name.startsWith('dist') || entry.name === 'node_modules' || path === join('test', 'servers') ? [] : filesOf(path)
		return /\.(ts|tsx|mjs)$/.test(entry.name) ? [{ path, text: readFileSync(path, 'utf8') }] : []
	})
}

const files = folders.flatMap(filesOf)

describe('house rules', () => {
	it('are kept by every file', () => {
		expect(files.length).toBeGreaterThan(50)
		expect(violations(files)).toEqual([])
	})

	it.each(rules.map((rule) => [rule.name, rule] as const))('%s: sees a planted violation', (_name, rule) => {
		expect(rule.check(rule.planted)).not.toEqual([])
	})

	it('reads every form of import', () => {
		expect(
			importsOf(
				"import a from 'a'\nimport type { b } from 'b'\nexport { c } from 'c'\nimport 'd'\nconst e = await import('e')\nimport {\n\tf,\n} from 'f'\n",
			),
		).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
	})
})

describe('doors', () => {
	const doors = ['collectors', 'processors'].flatMap((top) =>
		readdirSync(top, { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map((entry) => join(top, entry.name)),
	)
	const engines = ['log', 'store'].flatMap((port) =>
		readdirSync(join('storage', port), { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map((entry) => join('storage', port, entry.name)),
	)

	it.each([...doors, ...engines])('%s has a README of at most one screen', (dir) => {
		const lines = readFileSync(join(dir, 'README.md'), 'utf8').split('\n').length
		expect(lines).toBeGreaterThan(5)
		expect(lines).toBeLessThanOrEqual(60)
	})

	it.each(
		readdirSync('processors', { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map((entry) => entry.name),
	)('processors/%s has its door step.ts', (name) => {
		expect(readdirSync(join('processors', name))).toContain('step.ts')
	})
})

describe('error codes', () => {
	const page = readFileSync(join('docs', 'reference', 'errors.md'), 'utf8')
	const documented = [...page.matchAll(/^### ([A-Z_]+)$/gm)].map((match) => match[1])

	it('are documented, all and only', () => {
		expect(new Set(documented)).toEqual(new Set(Object.keys(errorRegistry)))
	})

	it('are used somewhere', () => {
		const text = files
			.filter((file) => file.path !== join('runtime', 'errors.ts') && !file.path.startsWith('test'))
			.map((file) => file.text)
			.join('\n')
		expect(Object.keys(errorRegistry).filter((code) => !text.includes(code))).toEqual([])
	})
})

describe('dependencies', () => {
	const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
		'dependencies' | 'devDependencies' | 'optionalDependencies',
		Record<string, string>
	>
	const page = readFileSync(join('docs', 'decisions', '004-dependencies.md'), 'utf8')
	const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })

	it.each(names)('%s has its row', (name) => {
		expect(page).toContain(`| \`${name}\` |`)
	})

	it('are pinned exactly', () => {
		const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
		expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
	})
})
