// Configuration from one declaration: a TypeBox schema gives validation, defaults, environment names and the reference page.
import { readFileSync } from 'node:fs'
import type { Static, TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { explainProblem } from './config-problem.ts'
import { KubetapeError, messageOf } from './errors.ts'
import { nearest } from './nearest.ts'

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a YAML file into a tree; an empty file is an empty tree. Throws CONFIG_UNREADABLE or CONFIG_INVALID. */
export function readConfigFile(path: string): Tree {
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (error) {
		throw new KubetapeError('CONFIG_UNREADABLE', `${path}: ${messageOf(error)}`, { cause: error })
	}
	let tree: unknown
	try {
		tree = parse(text) ?? {}
	} catch (error) {
		throw new KubetapeError('CONFIG_INVALID', `${path}: ${messageOf(error).split('\n')[0] ?? ''}`, { cause: error })
	}
	if (!isTree(tree)) throw new KubetapeError('CONFIG_INVALID', `${path}: the top level must be a mapping`)
	return tree
}

const snake = (key: string): string => key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()

/** The scalar options of a schema: path, environment name, schema. Lists are set in the file only. */
export function scalarOptions(
	schema: TSchema,
	path: readonly string[] = [],
): readonly { readonly path: readonly string[]; readonly variable: string; readonly schema: TSchema }[] {
	const properties = (schema as Partial<TObject>).properties
	if (!properties)
		return (schema as { type?: string }).type === 'array' ? [] : [{ path, variable: `KUBETAPE_${path.map(snake).join('_')}`, schema }]
	return Object.entries(properties).flatMap(([key, child]) => scalarOptions(child, [...path, key]))
}

/** Numbers as people write them: `0x50`, `1e3` and ` 5` are none. */
function scalar(text: string, schema: TSchema): unknown {
	const type = (schema as { type?: string }).type
	if ((type === 'number' || type === 'integer') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
	if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
	return text
}

/**
 * What Kubernetes puts into every container of a namespace that has a Service named `kubetape` or `kubetape-…`: KUBETAPE_SERVICE_HOST, KUBETAPE_SERVICE_PORT_HTTP,
 * KUBETAPE_PORT=tcp://10.0.0.1:8480, KUBETAPE_PORT_8480_TCP_ADDR (kubernetes: pkg/kubelet/envvars/envvars.go). They are nobody's options.
 */
function isServiceLink(name: string, value: string): boolean {
	if (/^KUBETAPE(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/.test(name))
		return true
	return /^KUBETAPE(_[A-Z0-9_]+)?_PORT$/.test(name) && /^(tcp|udp|sctp):\/\//i.test(value)
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
	let at = tree
	for (const key of path.slice(0, -1)) {
		if (!isTree(at[key])) at[key] = {}
		at = at[key] as Tree
	}
	at[path.at(-1) ?? ''] = value
}

/** Values that the environment gives, with the variable of each. Throws CONFIG_INVALID for a variable that is no option. */
function fromEnvironment(
	schema: TSchema,
	environment: Readonly<Record<string, string | undefined>>,
): readonly { readonly path: readonly string[]; readonly variable: string; readonly value: unknown }[] {
	const options = scalarOptions(schema)
	return Object.entries(environment).flatMap(([variable, text = '']) => {
		if (!variable.startsWith('KUBETAPE_') || variable.startsWith('KUBETAPE_TEST_')) return []
		if (isServiceLink(variable, text)) return []
		const option = options.find((candidate) => candidate.variable === variable)
		if (option) return [{ path: option.path, variable, value: scalar(text, option.schema) }]
		const near = nearest(
			variable,
			options.map((candidate) => candidate.variable),
		)
		throw new KubetapeError('CONFIG_INVALID', `environment: ${variable} is no option${near ? `: did you mean ${near}?` : ''}`)
	})
}

const reference = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** Replaces `${NAME}` in every text of the tree by the environment's NAME; `$${NAME}` stays, with one dollar. Throws CONFIG_INVALID where there is no such variable. */
function expand(tree: unknown, environment: Readonly<Record<string, string | undefined>>, at: readonly string[]): unknown {
	if (Array.isArray(tree)) return tree.map((value, index) => expand(value, environment, [...at, String(index)]))
	if (isTree(tree)) return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, expand(value, environment, [...at, key])]))
	if (typeof tree !== 'string') return tree
	return tree.replaceAll(reference, (text, escaped: string, name: string) => {
		if (escaped !== '') return text.slice(1)
		const value = environment[name]
		if (value === undefined)
			throw new KubetapeError('CONFIG_INVALID', `${at.join('.')} names \${${name}}, which the environment does not have`)
		return value
	})
}

function expanded(file: { readonly path: string; readonly tree: Tree }, environment: Readonly<Record<string, string | undefined>>): Tree {
	try {
		return expand(file.tree, environment, []) as Tree
	} catch (error) {
		if (!(error instanceof KubetapeError)) throw error
		throw new KubetapeError(error.code, `${file.path}: ${error.message}`, { cause: error })
	}
}

/** File, then environment, then flags (paths joined by dots). Defaults fill the rest. Throws CONFIG_INVALID with one line that says what and where: in which file, variable or flag. */
export function resolveConfig<S extends TObject>(
	schema: S,
	sources: {
		readonly file?: { readonly path: string; readonly tree: Tree }
		readonly environment?: Readonly<Record<string, string | undefined>>
		readonly flags?: Readonly<Record<string, unknown>>
		/** How people write a flag: `server.port` → `--port`. */
		readonly flagNames?: Readonly<Record<string, string>>
	},
): Static<S> {
	const tree = structuredClone(
		sources.file && sources.environment ? expanded(sources.file, sources.environment) : (sources.file?.tree ?? {}),
	)
	/** Who gave the value of a path, where it was not the file. */
	const givers = new Map<string, string>()
	for (const { path, variable, value } of fromEnvironment(schema, sources.environment ?? {})) {
		set(tree, path, value)
		givers.set(path.join('.'), variable)
	}
	for (const [path, value] of Object.entries(sources.flags ?? {})) {
		if (value === undefined) continue
		set(tree, path.split('.'), value)
		givers.set(path, sources.flagNames?.[path] ?? path)
	}
	const complete = Value.Default(schema, tree)
	const problem = explainProblem(schema, complete, [...Value.Errors(schema, complete)])
	if (!problem) return complete as Static<S>
	const giver = givers.get(problem.path)
	const what = giver ?? `${sources.file?.path ?? 'configuration'}: ${problem.path || 'the top level'}`
	throw new KubetapeError('CONFIG_INVALID', `${what} ${problem.message}`)
}
