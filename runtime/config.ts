// Configuration from one declaration: a TypeBox schema gives validation, defaults, environment names and the reference page.
import { readFileSync } from 'node:fs'
import type { Static, TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { KubetapeError, messageOf } from './errors.ts'

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Edit distance, for naming the nearest known word. */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, index) => index)
	for (let i = 1; i <= a.length; i++) {
		const next = [i]
		for (let j = 1; j <= b.length; j++) {
			next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
		}
		row = next
	}
	return row[b.length] ?? 0
}

/** The known word nearest to `word`, or undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
	const ranked = known
		.map((name) => ({ name, steps: distance(word.toLowerCase(), name.toLowerCase()) }))
		.toSorted((a, b) => a.steps - b.steps)
	const best = ranked[0]
	return best && best.steps <= Math.max(2, Math.floor(word.length / 3)) ? best.name : undefined
}

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

function scalar(text: string, schema: TSchema): unknown {
	const type = (schema as { type?: string }).type
	if ((type === 'number' || type === 'integer') && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
	if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
	return text
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
	let at = tree
	for (const key of path.slice(0, -1)) {
		if (!isTree(at[key])) at[key] = {}
		at = at[key] as Tree
	}
	at[path.at(-1) ?? ''] = value
}

/** File, then environment, then flags (paths joined by dots). Defaults fill the rest. Throws CONFIG_INVALID with one line that says what and where. */
export function resolveConfig<S extends TObject>(
	schema: S,
	sources: {
		readonly file?: { readonly path: string; readonly tree: Tree }
		readonly environment?: Readonly<Record<string, string | undefined>>
		readonly flags?: Readonly<Record<string, unknown>>
	},
): Static<S> {
	const tree = structuredClone(sources.file?.tree ?? {})
	const options = scalarOptions(schema)
	const environment = sources.environment ?? {}
	for (const name of Object.keys(environment).filter((key) => key.startsWith('KUBETAPE_') && !key.startsWith('KUBETAPE_TEST_'))) {
		const option = options.find((candidate) => candidate.variable === name)
		if (!option) {
			const near = nearest(
				name,
				options.map((candidate) => candidate.variable),
			)
			throw new KubetapeError('CONFIG_INVALID', `environment: ${name} is no option${near ? `: did you mean ${near}?` : ''}`)
		}
		set(tree, option.path, scalar(environment[name] ?? '', option.schema))
	}
	for (const [path, value] of Object.entries(sources.flags ?? {})) if (value !== undefined) set(tree, path.split('.'), value)
	const where = sources.file?.path ?? 'configuration'
	const complete = Value.Default(schema, tree)
	const [error] = [...Value.Errors(schema, complete)]
		.filter((candidate) => candidate.keyword !== 'boolean')
		.toSorted((a, b) => Number(b.keyword === 'additionalProperties') - Number(a.keyword === 'additionalProperties'))
	if (error) throw new KubetapeError('CONFIG_INVALID', `${where}: ${explain(schema, complete, error)}`)
	return complete as Static<S>
}

interface Problem {
	readonly keyword: string
	readonly instancePath: string
	readonly message: string
	readonly params: unknown
}

function explain(schema: TSchema, tree: unknown, error: Problem): string {
	const path = error.instancePath.split('/').slice(1)
	const shown = path.join('.') || 'the top level'
	if (error.keyword !== 'additionalProperties') return `${shown} ${error.message} (it is ${JSON.stringify(at(tree, path)) ?? 'missing'})`
	const unknown = (error.params as { additionalProperties?: readonly string[] }).additionalProperties?.[0] ?? '?'
	const known = Object.keys(schemaAt(schema, path)?.properties ?? {})
	const near = nearest(unknown, known)
	return `${[...path, unknown].join('.')} is no option${near ? `: did you mean ${[...path, near].join('.')}?` : `; known here: ${known.join(', ')}`}`
}

function at(tree: unknown, path: readonly string[]): unknown {
	return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Tree)[key] : undefined), tree)
}

interface Branch {
	readonly properties?: Readonly<Record<string, TSchema>>
	readonly items?: TSchema
}

function schemaAt(schema: TSchema, path: readonly string[]): Branch | undefined {
	return path.reduce<Branch | undefined>((current, key) => current?.properties?.[key] ?? current?.items, schema as Branch)
}
