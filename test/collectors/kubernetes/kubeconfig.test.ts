// Kubeconfigs: those that exist, merged as kubectl does, and refused with a line that says what is missing.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { kubeconfigFiles, readKubeconfig } from '#collectors/kubernetes/kubeconfig.ts'
import { temporaryFolder } from '#test/support/program.ts'

const folder = temporaryFolder('kubeconfig')
afterAll(() => folder.remove())

function written(name: string, contexts: readonly string[], extra: Readonly<Record<string, unknown>> = {}): string {
	const path = join(folder.path, name)
	mkdirSync(join(path, '..'), { recursive: true })
	const tree = {
		clusters: contexts.map((context) => ({
			name: context,
			cluster: { server: `https://${context}.${name}`, 'certificate-authority': 'ca.pem' },
		})),
		users: contexts.map((context) => ({ name: context, user: { exec: { command: './login', args: ['x'] } } })),
		contexts: contexts.map((context) => ({ name: context, context: { cluster: context, user: context } })),
		...extra,
	}
	writeFileSync(path, stringify(tree))
	return path
}
const refused = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) as string })
const one = written('one', ['a', 'b'], { 'current-context': 'a' })
const two = written('below/two', ['b', 'c'], { 'current-context': 'c' })
const none = join(folder.path, 'none')

describe('kubeconfigFiles', () => {
	it('takes those that exist, and none where nothing is named', () => {
		expect(kubeconfigFiles(`${none}:${one}:${two}`, {})).toEqual([one, two])
		expect(kubeconfigFiles(undefined, { KUBECONFIG: `:${two}:` })).toEqual([two])
		expect(kubeconfigFiles(one, { KUBECONFIG: two })).toEqual([one])
	})

	it('refuses where none exists, and says what to do', () => {
		expect(() => kubeconfigFiles(undefined, { KUBECONFIG: none })).toThrow(
			refused('CONFIG_UNREADABLE', /^KUBECONFIG: .*none does not exist: .*--demo$/),
		)
		expect(() => kubeconfigFiles(`${none}:${none}2`, {}, '--kubeconfig')).toThrow(
			refused('CONFIG_UNREADABLE', /^--kubeconfig: .*none and .*none2 do not exist: name a kubeconfig that does$/),
		)
	})
})

describe('readKubeconfig', () => {
	it('merges: the first file that names something wins, and paths are of their file', () => {
		const { context, tree } = readKubeconfig([one, two])
		expect(context).toBe('a')
		const cluster = (name: string, file: string, dir: string) => ({
			name,
			cluster: { server: `https://${name}.${file}`, 'certificate-authority': join(folder.path, dir, 'ca.pem') },
		})
		expect(tree['clusters']).toEqual([cluster('a', 'one', ''), cluster('b', 'one', ''), cluster('c', 'below/two', 'below')])
		expect((tree['users'] as unknown[])[2]).toEqual({
			name: 'c',
			user: { exec: { command: join(folder.path, 'below', 'login'), args: ['x'] } },
		})
		expect(readKubeconfig([one, two], 'c').tree['current-context']).toBe('c')
		expect(readKubeconfig([two, one]).context).toBe('c')
	})

	it.each([
		['text', 'x', /text: the top level must be a mapping$/],
		['broken', 'a: [1\n b: c: d\n', /broken: [^\n]+$/],
		['empty', '', /no current-context: choose one \(it has none\)$/],
		[
			'no-cluster',
			stringify({ contexts: [{ name: 'x', context: { cluster: 'y' } }], 'current-context': 'x' }),
			/context "x" names no cluster with a server$/,
		],
	])('refuses %s', (name, text, message) => {
		const path = join(folder.path, name)
		writeFileSync(path, text)
		expect(() => readKubeconfig([path])).toThrow(expect.objectContaining({ message: expect.stringMatching(message) as string }))
	})

	it('names the contexts there are', () => {
		expect(() => readKubeconfig([one], 'z')).toThrow(refused('CONFIG_UNREADABLE', /no context "z": known: a, b$/))
	})
})
