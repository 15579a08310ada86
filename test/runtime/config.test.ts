// Configuration: defaults, file, environment, flags in that order; what is wrong is named, with what was probably meant.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Type } from 'typebox'
import { nearest, readConfigFile, resolveConfig, scalarOptions } from '#runtime/config.ts'

const closed = { additionalProperties: false }
const schema = Type.Object(
	{
		dataDir: Type.String({ default: '.kubetape' }),
		server: Type.Object(
			{ port: Type.Integer({ default: 8480, minimum: 0, maximum: 65535 }), openToAll: Type.Boolean({ default: false }) },
			{ ...closed, default: {} },
		),
		collectors: Type.Array(Type.Object({ type: Type.String(), pollMs: Type.Integer({ default: 15 }) }, closed), { default: [] }),
	},
	closed,
)
const file = (tree: Record<string, unknown>) => ({ file: { path: 'kubetape.yaml', tree } })
const invalid = (message: RegExp) => expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string })

describe('resolveConfig', () => {
	it('fills defaults at every depth', () => {
		expect(resolveConfig(schema, {})).toEqual({ dataDir: '.kubetape', server: { port: 8480, openToAll: false }, collectors: [] })
		expect(resolveConfig(schema, file({ collectors: [{ type: 'etcd' }] })).collectors).toEqual([{ type: 'etcd', pollMs: 15 }])
	})

	it('takes the file, then the environment, then flags', () => {
		const tree = { dataDir: 'a', server: { port: 1 } }
		expect(resolveConfig(schema, file(tree)).server.port).toBe(1)
		expect(resolveConfig(schema, { ...file(tree), environment: { KUBETAPE_SERVER_PORT: '2', OTHER: 'x' } }).server.port).toBe(2)
		const all = {
			...file(tree),
			environment: { KUBETAPE_SERVER_PORT: '2', KUBETAPE_SERVER_OPEN_TO_ALL: 'true' },
			flags: { 'server.port': 3, dataDir: undefined },
		}
		expect(resolveConfig(schema, all)).toMatchObject({ dataDir: 'a', server: { port: 3, openToAll: true } })
		expect(tree, 'what it was given is not changed').toEqual({ dataDir: 'a', server: { port: 1 } })
	})

	it.each([
		[{ dataDri: 'x' }, /kubetape\.yaml: dataDri is no option: did you mean dataDir\?/],
		[{ server: { prot: 1 } }, /server\.prot is no option: did you mean server\.port\?/],
		[{ collectors: [{ type: 'etcd', polMs: 1 }] }, /polMs is no option: did you mean .*pollMs\?/],
		[{ completelyElse: 1 }, /completelyElse is no option; known here: dataDir, server, collectors/],
		[{ server: { port: 70_000 } }, /server\.port .*70000/],
		[{ server: { port: 'many' } }, /server\.port .*"many"/],
		[{ server: 3 }, /server .*3/],
		[{ collectors: [{}] }, /collectors\.0 /],
	])('refuses %j', (tree, message) => {
		expect(() => resolveConfig(schema, file(tree))).toThrow(invalid(message))
	})

	it('names the nearest variable, and refuses a value of the wrong type', () => {
		expect(() => resolveConfig(schema, { environment: { KUBETAPE_SERVER_PROT: '1' } })).toThrow(
			invalid(/KUBETAPE_SERVER_PROT is no option: did you mean KUBETAPE_SERVER_PORT\?/),
		)
		for (const port of ['many', '', '1.5', '-1'])
			expect(() => resolveConfig(schema, { environment: { KUBETAPE_SERVER_PORT: port } }), `port ${port}`).toThrow(invalid(/server\.port/))
		expect(() => resolveConfig(schema, { environment: { KUBETAPE_SERVER_OPEN_TO_ALL: 'yes' } })).toThrow(invalid(/server\.openToAll/))
	})
})

describe('scalarOptions', () => {
	it('lists path and variable of every scalar', () => {
		expect(scalarOptions(schema).map(({ path, variable }) => `${path.join('.')} ${variable}`)).toEqual([
			'dataDir KUBETAPE_DATA_DIR',
			'server.port KUBETAPE_SERVER_PORT',
			'server.openToAll KUBETAPE_SERVER_OPEN_TO_ALL',
		])
	})
})

describe('nearest', () => {
	it('finds a near word and nothing where none is near', () => {
		expect(nearest('prot', ['port', 'host'])).toBe('port')
		expect(nearest('PORT', ['port'])).toBe('port')
		expect(nearest('elephant', ['port', 'host'])).toBeUndefined()
		expect(nearest('x', [])).toBeUndefined()
	})
})

describe('readConfigFile', () => {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-config-'))
	afterAll(() => rmSync(dir, { recursive: true, force: true }))
	const written = (text: string): string => {
		const path = join(dir, 'kubetape.yaml')
		writeFileSync(path, text)
		return path
	}

	it('reads YAML; an empty file is an empty tree', () => {
		expect(readConfigFile(written('server:\n  port: 1\n'))).toEqual({ server: { port: 1 } })
		expect(readConfigFile(written(''))).toEqual({})
	})

	it('says what is wrong with the file', () => {
		expect(() => readConfigFile(join(dir, 'missing.yaml'))).toThrow(expect.objectContaining({ code: 'CONFIG_UNREADABLE' }))
		for (const text of ['- a\n', 'text', 'a: [1\n', 'a: b: c\n'])
			expect(() => readConfigFile(written(text)), `file ${text}`).toThrow(invalid(/kubetape\.yaml: /))
	})
})
