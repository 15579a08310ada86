// The catalog: built-in kinds stay, custom ones come and go with their definitions.
import { describe, expect, it } from 'vitest'
import { createCatalog, groupOf } from '#records/catalog.ts'

const definition = (group: string, kind: string, plural: string, more: Readonly<Record<string, unknown>> = {}) => ({
	spec: {
		group,
		names: { kind, plural },
		scope: 'Namespaced',
		versions: [
			{ name: 'v1alpha1', storage: false },
			{ name: 'v1', storage: true },
		],
		...more,
	},
})

describe('catalog', () => {
	it('knows the built-in kinds both ways', () => {
		const catalog = createCatalog()
		expect(catalog.byKind('apps/v1', 'Deployment')).toMatchObject({ resource: 'deployments', group: 'apps', namespaced: true })
		expect(catalog.byResource('', 'nodes')).toMatchObject({ kind: 'Node', namespaced: false })
		expect(catalog.byKind('v1', 'Deployment')).toBeUndefined()
	})

	it('learns and forgets a custom kind', () => {
		const catalog = createCatalog()
		const widget = definition('example.com', 'Widget', 'widgets')
		catalog.learn(widget)
		expect(catalog.byKind('example.com/v1alpha1', 'Widget')).toEqual({
			group: 'example.com',
			version: 'v1',
			kind: 'Widget',
			resource: 'widgets',
			namespaced: true,
		})
		expect(catalog.byResource('example.com', 'widgets')?.kind).toBe('Widget')
		catalog.forget(widget)
		expect(catalog.byKind('example.com/v1', 'Widget')).toBeUndefined()
		expect(catalog.byResource('example.com', 'widgets')).toBeUndefined()
	})

	it('reads a v1beta1 definition and a cluster scope', () => {
		const catalog = createCatalog()
		catalog.learn(definition('example.com', 'Zone', 'zones', { versions: undefined, version: 'v1beta2', scope: 'Cluster' }))
		expect(catalog.byKind('example.com/v1beta2', 'Zone')).toMatchObject({ version: 'v1beta2', namespaced: false })
	})

	it('never loses or changes a built-in kind, whatever a definition claims', () => {
		const catalog = createCatalog()
		const deployment = catalog.byKind('apps/v1', 'Deployment')
		for (const claim of [
			definition('apps', 'Deployment', 'deployments'),
			definition('apps', 'Deployment', 'others'),
			definition('apps', 'Other', 'deployments'),
		]) {
			catalog.learn(claim)
			catalog.forget(claim)
			expect(catalog.byKind('apps/v1', 'Deployment')).toEqual(deployment)
			expect(catalog.byResource('apps', 'deployments')).toEqual(deployment)
		}
	})

	it.each([{}, { spec: null }, { spec: { group: 'a' } }, { spec: { group: 'a', names: { kind: 1, plural: 'b' } } }, { spec: 'text' }])(
		'takes nothing from %j',
		(bad) => {
			const catalog = createCatalog()
			expect(() => {
				catalog.learn(bad)
				catalog.forget(bad)
			}).not.toThrow()
		},
	)

	it('reads the group of an apiVersion', () => {
		expect(groupOf('apps/v1')).toBe('apps')
		expect(groupOf('v1')).toBe('')
	})
})
