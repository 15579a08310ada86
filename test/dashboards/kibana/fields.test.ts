// Every field that a panel, a question, a column or a control names is in our mapping, of a type that can be used so.
import { describe, expect, it } from 'vitest'
import { controlsOf, ofType, panelsOf } from './parsed.ts'
import { uses, type Use } from './declared.ts'
import { classesOf, fieldsIn, type MappedField } from './mapping.ts'

const mapping = Object.fromEntries(classesOf('everything').map((of) => [of, fieldsIn(of)]))

const lensTypes: Readonly<Record<string, readonly string[]>> = { string: ['keyword', 'boolean'], number: ['long'], ip: ['ip'] }
const typeOfValues: Readonly<Record<string, string>> = { keyword: 'string', long: 'number', boolean: 'boolean' }

/** What is wrong with it; empty where nothing is. */
function wrong({ field, as, lensType, values = [] }: Use, { type, aggregatable, searchable }: MappedField): readonly string[] {
	const no = (good: boolean, what: string): readonly string[] => (good ? [] : [`${field} (${type}) ${what}`])
	if (as === 'shown') return []
	if (as === 'time') return no(type === 'date' && aggregatable && searchable, 'is no time')
	if (as === 'counted')
		return [
			...no(aggregatable, 'cannot be counted by values'),
			...(lensType === undefined ? [] : no(lensTypes[lensType]?.includes(type) === true, `is no ${lensType}`)),
		]
	if (as === 'ordered') return no(type === 'long' && searchable, 'has no order')
	return [
		...no(searchable, 'cannot be asked for'),
		...values.flatMap((value) => no(typeof value === typeOfValues[type], `is never ${JSON.stringify(value)}`)),
	]
}

/** A field of several classes need not be in each, but means the same wherever it is; one of a single class is there. */
function wrongIn(use: Use): readonly string[] {
	const found = classesOf(use.view).flatMap((of) => mapping[of]?.get(use.field) ?? [])
	if (found.length === 0) return [`${use.field} is no field of ${use.view}`]
	if (new Set(found.map(({ type }) => type)).size > 1) return [`${use.field} has several types in ${use.view}`]
	return found.flatMap((field) => wrong(use, field))
}

describe('fields of the dashboards', () => {
	it('are in the mapping, and right for what they are used for', () => {
		expect(uses.length).toBeGreaterThan(200)
		expect(uses.flatMap((use) => wrongIn(use).map((what) => `${use.where}: ${what}`))).toEqual([])
	})

	it('that controls narrow by are in every record of the view', () => {
		for (const { field, view } of uses.filter(({ where }) => where.endsWith(' control')))
			expect(classesOf(view).filter((of) => mapping[of]?.has(field) !== true)).toEqual([])
	})

	it('in the file are those that are declared', () => {
		const declared = new Set(uses.map(({ field }) => field))
		const named = ofType('dashboard').flatMap((dashboard) => [
			...Object.values(controlsOf(dashboard)).map(({ explicitInput }) => explicitInput.fieldName),
			...panelsOf(dashboard).flatMap(({ embeddableConfig: { attributes } }) =>
				Object.values(attributes?.state.datasourceStates.formBased.layers ?? {}).flatMap(({ columns }) =>
					Object.values(columns).flatMap(({ sourceField }) => sourceField ?? []),
				),
			),
		])
		const columns = ofType('search').flatMap(({ attributes }) => attributes['columns'] as readonly string[])
		expect([...named, ...columns].filter((name) => name !== '___records___' && !declared.has(name))).toEqual([])
	})

	it('are found wrong where they are', () => {
		const use = { where: 'planted', view: 'audit' } as const
		const planted: readonly Use[] = [
			{ ...use, field: 'user.nam', as: 'counted' },
			{ ...use, field: 'message', as: 'counted' },
			{ ...use, field: 'user.name', as: 'ordered' },
			{ ...use, field: 'user.name', as: 'time' },
			{ ...use, field: 'http.response.status_code', as: 'counted', lensType: 'string' },
			{ ...use, field: 'http.response.status_code', as: 'asked', values: ['403'] },
			{ ...use, view: 'changes', field: 'user.name', as: 'shown' },
		]
		for (const each of planted) expect(wrongIn(each)).toHaveLength(1)
	})
})
