// Configuration: defaults, file, environment, flags in that order; what is wrong is named, with what was probably meant.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Type } from 'typebox'
import { readConfigFile, resolveConfig, scalarOptions } from '#runtime/config.ts'

const closed = { additionalProperties: false }
const schema = Type.Object(
	{
		dataDir: Type.String({ default: '.kubetape', minLength: 1 }),
		logLevel: Type.Union([Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')], { default: 'info' }),
		server: Type.Object(
			{ port: Type.Integer({ default: 8480, minimum: 0, maximum: 65535 }), openToAll: Type.Boolean({ default: false }) },
			{ ...closed, default: {} },
		),
		collectors: Type.Array(
			Type.Object(
				{
					type: Type.String(),
					pollMs: Type.Integer({ default: 15 }),
					speed: Type.Union([Type.Number(), Type.Literal('max')], { default: 'max' }),
					password: Type.Optional(Type.String({ minLength: 20 })),
					url: Type.Optional(Type.String({ pattern: '^https:', form: 'https://host' })),
				},
				closed,
			),
			{ default: [] },
		),
	},
	closed,
)
const file = (tree: Record<string, unknown>) => ({ file: { path: 'kubetape.yaml', tree } })
const invalid = (message: RegExp) => expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string })

describe('resolveConfig', () => {
	it('fills defaults at every depth', () => {
		expect(resolveConfig(schema, {})).toEqual({
			dataDir: '.kubetape',
			logLevel: 'info',
			server: { port: 8480, openToAll: false },
			collectors: [],
		})
		expect(resolveConfig(schema, file({ collectors: [{ type: 'etcd' }] })).collectors).toEqual([{ type: 'etcd', pollMs: 15, speed: 'max' }])
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
		[{ completelyElse: 1 }, /completelyElse is no option; known here: dataDir, logLevel, server, collectors/],
		[{ server: { port: 70_000 } }, /^kubetape\.yaml: server\.port must be <= 65535 \(it is 70000\)$/],
		[{ server: { port: 'many' } }, /^kubetape\.yaml: server\.port must be integer \(it is "many"\)$/],
		[{ server: 3 }, /^kubetape\.yaml: server must be object \(it is 3\)$/],
		[{ collectors: [{}] }, /^kubetape\.yaml: collectors\.0\.type is needed$/],
		[{ dataDir: '' }, /^kubetape\.yaml: dataDir must not be empty \(it is ""\)$/],
		[{ logLevel: 'loud' }, /^kubetape\.yaml: logLevel must be one of warn, info, debug \(it is "loud"\)$/],
		[{ collectors: [{ type: 'a', url: 'x' }] }, /collectors\.0\.url must be https:\/\/host \(it is "x"\)$/],
		[{ collectors: [{ type: 'a', speed: 'fast' }] }, /collectors\.0\.speed must be a number or max \(it is "fast"\)$/],
	])('refuses %j', (tree, message) => {
		expect(() => resolveConfig(schema, file(tree))).toThrow(invalid(message))
	})

	it.each([
		{ collectors: [{ type: 'a', password: 'hunter2' }] },
		{ collectors: [{ type: 'a', url: 'http://root:hunter2@host' }] },
		{ collectors: { type: 'a', password: 'hunter2' } },
		{ collectors: ['hunter2'.padStart(100)] },
		{ server: [{ password: 'hunter2' }] },
	])('says what is wrong with %j without what may be a secret', (tree) => {
		expect(() => resolveConfig(schema, file(tree))).toThrow(invalid(/^(?!.*hunter2)kubetape\.yaml: (collectors|server)/))
	})

	it('names the nearest variable, and refuses a value of the wrong type', () => {
		expect(() => resolveConfig(schema, { environment: { KUBETAPE_SERVER_PROT: '1' } })).toThrow(
			invalid(/KUBETAPE_SERVER_PROT is no option: did you mean KUBETAPE_SERVER_PORT\?/),
		)
		for (const port of ['many', '', '1.5', '-1', '0x50', '1e3', ' 80'])
			expect(() => resolveConfig(schema, { ...file({}), environment: { KUBETAPE_SERVER_PORT: port } }), `port ${port}`).toThrow(
				invalid(/^KUBETAPE_SERVER_PORT must be /),
			)
		expect(() => resolveConfig(schema, { environment: { KUBETAPE_SERVER_OPEN_TO_ALL: 'yes' } })).toThrow(
			invalid(/^KUBETAPE_SERVER_OPEN_TO_ALL must be boolean \(it is "yes"\)$/),
		)
		const flag = { flags: { dataDir: '' }, flagNames: { dataDir: '--data-dir' } }
		expect(() => resolveConfig(schema, { ...file({ dataDir: 'a' }), ...flag })).toThrow(invalid(/^--data-dir must not be empty/))
	})

	it('leaves alone what Kubernetes tells of Services named kubetape and kubetape-…', () => {
		const environment = {
			KUBETAPE_SERVICE_HOST: '10.96.0.7',
			KUBETAPE_SERVICE_PORT: '8480',
			KUBETAPE_SERVICE_PORT_HTTP: '8480',
			KUBETAPE_PORT: 'tcp://10.96.0.7:8480',
			KUBETAPE_PORT_8480_TCP: 'tcp://10.96.0.7:8480',
			KUBETAPE_PORT_8480_TCP_PROTO: 'tcp',
			KUBETAPE_PORT_8480_TCP_PORT: '8480',
			KUBETAPE_PORT_8480_TCP_ADDR: '10.96.0.7',
			KUBETAPE_FOO_SERVICE_HOST: '10.96.0.8',
			KUBETAPE_FOO_SERVICE_PORT: '80',
			KUBETAPE_FOO_PORT: 'udp://10.96.0.8:80',
			// A Service named kubetape-server takes the name of an option, with a value that is none.
			KUBETAPE_SERVER_PORT: 'tcp://10.96.0.9:8480',
			KUBETAPE_LOG_LEVEL: 'debug',
		}
		expect(resolveConfig(schema, { environment })).toMatchObject({ logLevel: 'debug', server: { port: 8480 } })
		expect(() => resolveConfig(schema, { environment: { KUBETAPE_PORT: '80' } })).toThrow(invalid(/KUBETAPE_PORT is no option/))
	})
})

describe('variables inside texts of the file', () => {
	const environment = { NODE_NAME: 'node-a', EMPTY: '' }
	const dirOf = (dataDir: string) => resolveConfig(schema, { ...file({ dataDir }), environment }).dataDir

	it('are the environment’s, also several in one text, and in lists', () => {
		expect(dirOf('/var/${NODE_NAME}/${NODE_NAME}${EMPTY}')).toBe('/var/node-a/node-a')
		const { collectors } = resolveConfig(schema, { ...file({ collectors: [{ type: '${NODE_NAME}' }] }), environment })
		expect(collectors[0]?.type).toBe('node-a')
	})

	it('stay where the dollar is doubled, and where it is no name', () => {
		expect(dirOf('a$${NODE_NAME}')).toBe('a${NODE_NAME}')
		expect(dirOf('a$b ${} ${1} $NODE_NAME')).toBe('a$b ${} ${1} $NODE_NAME')
	})

	it('are refused by name where there is none', () => {
		expect(() => dirOf('${NODE}')).toThrow(invalid(/^kubetape\.yaml: dataDir names \$\{NODE\}, which the environment does not have$/))
	})
})

describe('scalarOptions', () => {
	it('lists path and variable of every scalar', () => {
		expect(scalarOptions(schema).map(({ path, variable }) => `${path.join('.')} ${variable}`)).toEqual([
			'dataDir KUBETAPE_DATA_DIR',
			'logLevel KUBETAPE_LOG_LEVEL',
			'server.port KUBETAPE_SERVER_PORT',
			'server.openToAll KUBETAPE_SERVER_OPEN_TO_ALL',
		])
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
