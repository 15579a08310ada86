// The file that Kibana imports, as it is committed: it parses to the last string, everything that is referred to is in it, and nothing lies over another.
import { describe, expect, it } from 'vitest'
import { dashboards, savedObjects, savedObjectsFile } from '#dashboards/kibana/saved-objects.ts'
import { controlsOf, fileLines, objects, ofType, panelsOf, searchSourceOf, specificationOf, type LensAttributes } from './parsed.ts'

const key = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type} ${id}`

describe('the file', () => {
	it('has an object a line, and a last line that counts them', () => {
		expect(fileLines.at(-1)).toEqual({
			excludedObjects: [],
			excludedObjectsCount: 0,
			exportedCount: objects.length,
			missingRefCount: 0,
			missingReferences: [],
		})
		for (const object of objects)
			expect(Object.keys(object)).toEqual([
				'type',
				'id',
				'attributes',
				'references',
				'coreMigrationVersion',
				'typeMigrationVersion',
				'managed',
			])
	})

	it('has what was promised', () => {
		expect(ofType('dashboard').map(({ attributes }) => attributes['title'])).toEqual([
			'[Kubetape] Cluster timeline',
			'[Kubetape] Who did what',
			'[Kubetape] Failed and forbidden',
			'[Kubetape] Change feed',
			'[Kubetape] Events',
			'[Kubetape] Pipeline health',
		])
		expect(ofType('index-pattern')).toHaveLength(6)
		expect(ofType('visualization')).toHaveLength(1)
		expect(ofType('search').length).toBeGreaterThanOrEqual(6)
	})

	it('names each object and each title once', () => {
		expect(new Set(objects.map(key)).size).toBe(objects.length)
		const titles = objects.map(({ type, attributes }) => `${type} ${String(attributes['title'])}`)
		expect(new Set(titles).size).toBe(objects.length)
	})

	it('is of versions that Kibana 9.0 takes', () => {
		// Of the types' last versions in Kibana 9.0: newer ones are refused.
		const newest: Readonly<Record<string, string>> = {
			'index-pattern': '8.0.0',
			dashboard: '10.2.0',
			search: '10.5.0',
			visualization: '8.5.0',
			links: '10.1.0',
		}
		for (const { type, typeMigrationVersion, coreMigrationVersion } of objects) {
			expect(typeMigrationVersion.localeCompare(newest[type] ?? '', 'en', { numeric: true })).toBeLessThanOrEqual(0)
			expect(coreMigrationVersion).toBe('8.8.0')
		}
	})

	it('has only the attributes that Kibana 9.0 knows: it refuses an object with another', () => {
		// The `create` schemas of these types in Kibana's source; that of data views is open.
		const known: Readonly<Record<string, string>> = {
			dashboard:
				'title description kibanaSavedObjectMeta timeRestore timeFrom timeTo refreshInterval controlGroupInput panelsJSON optionsJSON hits version',
			search: 'title description columns sort grid hideChart isTextBasedQuery timeRestore kibanaSavedObjectMeta',
			visualization: 'title description version kibanaSavedObjectMeta uiStateJSON visState savedSearchRefName',
			links: 'title description links layout',
		}
		for (const { type, id, attributes } of objects.filter((object) => object.type !== 'index-pattern'))
			expect([id, Object.keys(attributes).filter((name) => !known[type]?.split(' ').includes(name))]).toEqual([id, []])
		const links = ofType('links').flatMap(({ attributes }) => attributes['links'] as readonly { readonly options: object }[])
		for (const link of links) {
			expect(Object.keys(link)).toEqual(['id', 'order', 'type', 'label', 'destinationRefName', 'options'])
			expect(Object.keys(link.options)).toEqual(['openInNewTab', 'useCurrentFilters', 'useCurrentDateRange'])
		}
	})

	it('is the same again, and of another prefix shares no id, no title and no index', () => {
		expect(savedObjectsFile('kubetape')).toBe(savedObjectsFile('kubetape'))
		const other = savedObjects('tape2')
		expect(other).toHaveLength(objects.length)
		expect(JSON.stringify(other)).not.toMatch(/"kubetape-|\bkubetape-(changes|events|audit|logs|ledger)-/)
		const titles = new Set(objects.map(({ attributes }) => attributes['title']))
		expect(other.filter(({ attributes }) => titles.has(attributes['title']))).toEqual([])
	})
})

describe('references', () => {
	const known = new Set(objects.map(key))

	it('lead to what is in the file, under names of their own', () => {
		for (const object of objects) {
			expect(object.references.filter((each) => !known.has(key(each)))).toEqual([])
			expect(new Set(object.references.map(({ name }) => name)).size).toBe(object.references.length)
		}
	})

	it('are named as what uses them names them, and all are used', () => {
		for (const dashboard of ofType('dashboard')) {
			const used = [
				...panelsOf(dashboard).flatMap(({ panelIndex, panelRefName, embeddableConfig: { attributes } }) =>
					attributes ? attributes.references.map(({ name }) => `${panelIndex}:${name}`) : `${panelIndex}:${panelRefName}`,
				),
				...Object.keys(controlsOf(dashboard)).map((id) => `controlGroup_${id}:optionsListDataView`),
			]
			expect(dashboard.references.map(({ name }) => name).toSorted()).toEqual(used.toSorted())
		}
		for (const search of ofType('search')) expect(search.references.map(({ name }) => name)).toEqual([searchSourceOf(search).indexRefName])
	})

	it('of a Lens panel are the same inside and beside the dashboard', () => {
		for (const dashboard of ofType('dashboard'))
			for (const { panelIndex, embeddableConfig } of panelsOf(dashboard))
				for (const inside of embeddableConfig.attributes?.references ?? [])
					expect(dashboard.references).toContainEqual({ ...inside, name: `${panelIndex}:${inside.name}` })
	})

	it('of the links lead to every dashboard', () => {
		const [links] = ofType('links')
		expect(links?.references.map(({ id }) => id)).toEqual(ofType('dashboard').map(({ id }) => id))
		const named = links?.attributes['links'] as readonly { readonly destinationRefName: string }[]
		expect(named.map(({ destinationRefName }) => destinationRefName)).toEqual(links?.references.map(({ name }) => name))
	})
})

describe('grids', () => {
	it.each(ofType('dashboard').map((dashboard) => [dashboard.id, dashboard] as const))(
		'%s: 48 columns, full, nothing over another',
		(_, dashboard) => {
			const taken = new Set<string>()
			const panels = panelsOf(dashboard)
			let area = 0
			for (const { gridData, panelIndex } of panels) {
				expect(gridData.i).toBe(panelIndex)
				expect(gridData.x + gridData.w).toBeLessThanOrEqual(48)
				for (let x = gridData.x; x < gridData.x + gridData.w; x++)
					for (let y = gridData.y; y < gridData.y + gridData.h; y++) taken.add(`${x} ${y}`)
				area += gridData.w * gridData.h
			}
			expect(taken.size).toBe(area)
			expect(area).toBe(48 * Math.max(...panels.map(({ gridData: { y, h } }) => y + h)))
			expect(new Set(panels.map(({ panelIndex }) => panelIndex)).size).toBe(panels.length)
		},
	)

	it('have controls in order, and those of a namespace only where every record has one', () => {
		for (const dashboard of ofType('dashboard')) {
			const controls = Object.entries(controlsOf(dashboard))
			expect(controls.map(([, { order }]) => order)).toEqual(controls.map((_, n) => n))
			for (const [id, { explicitInput, type }] of controls) expect([explicitInput.id, type]).toEqual([id, 'optionsListControl'])
			expect(controls.map(([id]) => id)).toEqual(dashboard.id === 'kubetape-pipeline-health' ? ['cluster'] : ['cluster', 'namespace'])
		}
	})
})

/** Every string below a member whose name says that it is the id of a column. */
function columnsIn(value: unknown, under = ''): readonly string[] {
	if (typeof value === 'string') return /columnId|[aA]ccessors?$|primaryGroups|^metrics$/.test(under) ? [value] : []
	if (Array.isArray(value)) return value.flatMap((each) => columnsIn(each, under))
	if (typeof value !== 'object' || value === null) return []
	return Object.entries(value).flatMap(([name, each]) => columnsIn(each, name))
}

describe('Lens panels', () => {
	const panels = ofType('dashboard').flatMap((dashboard) =>
		panelsOf(dashboard).flatMap(({ panelIndex, embeddableConfig: { attributes } }): [string, LensAttributes][] =>
			attributes ? [[`${dashboard.id} ${panelIndex}`, attributes]] : [],
		),
	)

	it.each(panels)('%s shows every column that it has, buckets first, and no other', (_, { state, visualizationType }) => {
		const [layer] = Object.values(state.datasourceStates.formBased.layers)
		const { columnOrder = [], columns = {} } = layer ?? {}
		expect(Object.keys(columns).toSorted()).toEqual(columnOrder.toSorted())
		expect([...new Set(columnsIn(state.visualization))].toSorted()).toEqual(columnOrder.toSorted())
		const bucketed = columnOrder.map((id) => columns[id]?.isBucketed)
		expect(bucketed).toEqual(bucketed.toSorted((a, b) => Number(b) - Number(a)))
		for (const column of Object.values(columns))
			if (column.operationType === 'terms') expect(columns[column.params?.orderBy?.columnId ?? '']?.isBucketed).toBe(false)
		expect(visualizationType).toMatch(/^lns(Metric|XY|Datatable|Pie|Heatmap)$/)
	})

	it('are as many as are declared', () => {
		const declared = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels.filter(([, panel]) => panel.kind === 'lens')))
		expect(panels).toHaveLength(declared.length)
		expect(panels.length).toBeGreaterThan(40)
	})
})

describe('the Vega panel', () => {
	it('asks the data view’s own indices, and leaves query bar, filters and time to Kibana', () => {
		const [panel] = ofType('visualization')
		if (!panel) throw new Error('there is none')
		const { data } = specificationOf(panel) as { data: { url: { index: string; body: { query: object } } } }
		const everything = ofType('index-pattern').find(({ id }) => id === 'kubetape-everything')
		expect(data.url.index).toBe(everything?.attributes['title'])
		const asked = JSON.stringify(data.url.body.query)
		for (const name of ['must_clause', 'filter_clause', 'must_not_clause']) expect(asked).toContain(`"%dashboard_context-${name}%"`)
		expect(asked).toContain('"@timestamp":{"%timefilter%":true}')
	})
})
