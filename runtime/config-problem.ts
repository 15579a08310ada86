// What is wrong with a configuration, in a few words: which key, what it must be, and what it is unless that may be a secret.
import type { TSchema } from 'typebox'
import { nearest } from './nearest.ts'

/** A violation as TypeBox reports it. */
export interface Violation {
	readonly keyword: string
	readonly instancePath: string
	readonly message: string
	readonly params: unknown
}

interface Branch {
	readonly properties?: Readonly<Record<string, TSchema>>
	readonly items?: TSchema
	readonly anyOf?: readonly { readonly const?: string | number | boolean; readonly type?: string }[]
	/** Ours: what a pattern asks for, in words. */
	readonly form?: string
}

const valueCharactersMax = 60
const secretKey = /pass|secret|token|credential|key$/i

/** The first violation that says most: an unknown key before a wrong value. Undefined where there is none. */
export function explainProblem(
	schema: TSchema,
	tree: unknown,
	violations: readonly Violation[],
): { readonly path: string; readonly message: string } | undefined {
	const [first] = violations
		.filter((candidate) => candidate.keyword !== 'boolean')
		.toSorted((a, b) => Number(b.keyword === 'additionalProperties') - Number(a.keyword === 'additionalProperties'))
	if (!first) return undefined
	const path = first.instancePath.split('/').slice(1)
	if (first.keyword === 'additionalProperties') return unknownKey(schema, path, first)
	const missing =
		first.keyword === 'required' ? (first.params as { requiredProperties?: readonly string[] }).requiredProperties?.[0] : undefined
	if (missing !== undefined) return { path: [...path, missing].join('.'), message: 'is needed' }
	return { path: path.join('.'), message: `${demand(schemaAt(schema, path), first.message)} (it is ${shown(tree, path)})` }
}

function unknownKey(schema: TSchema, path: readonly string[], violation: Violation): { readonly path: string; readonly message: string } {
	const unknown = (violation.params as { additionalProperties?: readonly string[] }).additionalProperties?.[0] ?? '?'
	const known = Object.keys(schemaAt(schema, path)?.properties ?? {})
	const near = nearest(unknown, known)
	const help = near ? `: did you mean ${[...path, near].join('.')}?` : `; known here: ${known.join(', ')}`
	return { path: [...path, unknown].join('.'), message: `is no option${help}` }
}

/** What the schema asks for, in words where TypeBox only names its own keyword. */
function demand(schema: Branch | undefined, message: string): string {
	const choices = schema?.anyOf?.map((choice) => (choice.const === undefined ? `a ${choice.type ?? 'value'}` : String(choice.const)))
	if (choices) return `must be ${choices.length > 2 ? `one of ${choices.join(', ')}` : choices.join(' or ')}`
	if (schema?.form !== undefined && message.startsWith('must match pattern')) return `must be ${schema.form}`
	return message === 'must not have fewer than 1 characters' ? 'must not be empty' : message
}

/** Never what may be a secret, nor what may hold one. */
function shown(tree: unknown, path: readonly string[]): string {
	const value = path.reduce<unknown>(
		(inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
		tree,
	)
	if (value === undefined) return 'missing'
	if (value === null) return 'empty'
	if (Array.isArray(value)) return 'a list'
	if (typeof value === 'object') return 'a mapping'
	if (path.some((key) => secretKey.test(key))) return 'not shown'
	const text = JSON.stringify(value).replace(/\/\/[^/@\s]*@/g, '//…@')
	return text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax)}…` : text
}

function schemaAt(schema: TSchema, path: readonly string[]): Branch | undefined {
	return path.reduce<Branch | undefined>((current, key) => current?.properties?.[key] ?? current?.items, schema as Branch)
}
