// What the guides say is so: their configurations are accepted, their commands exist, their links and paths lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkSettings } from '#cli/check-config.ts'
import { configSchema } from '#cli/config.ts'
import { createProgram } from '#cli/program.ts'
import { resolveConfig } from '#runtime/config.ts'

const guides = (readdirSync('docs/guides', { recursive: true }) as string[])
	.filter((name) => name.endsWith('.md'))
	.map((name) => ({ name, text: readFileSync(join('docs/guides', name), 'utf8') }))
const blocks = (language: string): readonly (readonly [name: string, text: string])[] =>
	guides.flatMap(({ name, text }) =>
		[...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block = '']) => [name, block] as const),
	)

/** Of a shell: `kubetape WORDS`, also behind variables and in the middle of a pipe. */
const commands = blocks('sh').flatMap(([name, text]) =>
	text.split('\n').flatMap((line) => {
		const words = /^\s*(?:[A-Z_]+=\S+ )*kubetape (.*)$/.exec(line)?.[1] ?? /kubetape\.mjs (.*)$/.exec(line)?.[1]
		return words === undefined ? [] : [[name, words] as const]
	}),
)
const inText = guides.flatMap(({ name, text }) =>
	[...text.matchAll(/`kubetape ([a-z-][^`]*)`/g)].map(([, words = '']) => [name, words] as const),
)

it('there are guides', () => {
	expect(guides.length).toBeGreaterThan(25)
	expect(commands.length).toBeGreaterThan(8)
})

describe('configurations', () => {
	it.each(blocks('yaml kubetape.yaml'))('of %s are accepted', (_name, text) => {
		const file = { path: 'kubetape.yaml', tree: parse(text) as Record<string, unknown> }
		const config = resolveConfig(configSchema, { file, environment: { ELASTIC_PASSWORD: 'x' } })
		checkSettings(config)
		expect(config.clusters.length).toBeGreaterThan(0)
	})
})

describe('commands', () => {
	it.each([...commands, ...inText])('of %s: kubetape %s', (_name, text) => {
		const words = text.split(/\s+/)
		let command: Command = createProgram()
		if (words[0]?.startsWith('-') === true) return expect(['--version', '--help']).toContain(words[0])
		for (
			let next = command.commands.find((inner) => inner.name() === words[0]);
			next;
			next = command.commands.find((inner) => inner.name() === words[0])
		) {
			command = next
			words.shift()
		}
		expect(command.name()).not.toBe('kubetape')
		const known = command.options.flatMap((option) => [option.short, option.long])
		expect(words.filter((word) => word.startsWith('-') && !known.includes(word.split('=')[0]))).toEqual([])
	})
})

describe('links and paths', () => {
	it.each(guides.map(({ name, text }) => [name, text] as const))('of %s lead somewhere', (name, text) => {
		const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link))
		expect(links.filter((link) => !existsSync(join('docs/guides', dirname(name), link)))).toEqual([])
		const paths = [...text.matchAll(/`((?:deploy|test|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path)
		expect(paths.filter((path) => !existsSync(path))).toEqual([])
	})

	it('the index has every guide', () => {
		const index = readFileSync('docs/guides/README.md', 'utf8')
		const missing = guides.filter(({ name }) => !name.includes('/') && name !== 'README.md' && !index.includes(`(${name})`))
		expect(missing).toEqual([])
	})
})
