// A dashboard as Kibana keeps it: rows become places of the grid, what panels refer to becomes references.
import { lensAttributes } from './lens.ts'
import { gridColumns, type Control, type Dashboard, type Panel } from './panel.ts'
import {
	dataViewId,
	reference,
	savedObject,
	savedObjectId,
	searchSource,
	titleOf,
	type Reference,
	type SavedObject,
} from './saved-object.ts'

interface Built {
	readonly panel: Readonly<Record<string, unknown>>
	readonly references: readonly Reference[]
}

interface Place {
	readonly x: number
	readonly y: number
	readonly w: number
	readonly h: number
}

const linksHeight = 3

/** What is kept on its own is referred to by name; what is not is written into the panel, with its references beside the dashboard's. */
function builtPanel(panel: Panel, place: Place, prefix: string): Built {
	const { id } = panel
	const common = { panelIndex: id, gridData: { ...place, i: id }, title: panel.title }
	if (panel.kind === 'lens') {
		const attributes = lensAttributes(panel, prefix)
		return {
			panel: { type: 'lens', ...common, embeddableConfig: { attributes, enhancements: {}, hidePanelTitles: panel.chart === 'number' } },
			references: attributes.references.map((each) => ({ ...each, name: `${id}:${each.name}` })),
		}
	}
	const type = panel.kind === 'search' ? 'search' : 'visualization'
	return {
		panel: { type, ...common, embeddableConfig: { enhancements: {} }, panelRefName: `panel_${id}` },
		references: [reference(`${id}:panel_${id}`, type, savedObjectId(prefix, id))],
	}
}

function linksPanel(prefix: string): Built {
	return {
		panel: {
			type: 'links',
			panelIndex: 'links',
			gridData: { x: 0, y: 0, w: gridColumns, h: linksHeight, i: 'links' },
			embeddableConfig: { enhancements: {}, hidePanelTitles: true },
			panelRefName: 'panel_links',
		},
		references: [reference('links:panel_links', 'links', savedObjectId(prefix, 'links'))],
	}
}

function builtPanels({ rows }: Dashboard, prefix: string): readonly Built[] {
	const built: Built[] = [linksPanel(prefix)]
	let y = linksHeight
	for (const { height, panels } of rows) {
		let x = 0
		for (const [width, panel] of panels) {
			built.push(builtPanel(panel, { x, y, w: width, h: height }, prefix))
			x += width
		}
		y += height
	}
	return built
}

function controlGroup(controls: readonly Control[]): Readonly<Record<string, unknown>> {
	const panels = controls.map(({ id, field, label }, order) => [
		id,
		{
			type: 'optionsListControl',
			order,
			width: 'medium',
			grow: true,
			explicitInput: { id, fieldName: field, title: label, searchTechnique: 'prefix', selectedOptions: [], enhancements: {} },
		},
	])
	return {
		controlStyle: 'oneLine',
		chainingSystem: 'HIERARCHICAL',
		showApplySelections: false,
		ignoreParentSettingsJSON: JSON.stringify({
			ignoreFilters: false,
			ignoreQuery: false,
			ignoreTimerange: false,
			ignoreValidations: false,
		}),
		panelsJSON: JSON.stringify(Object.fromEntries(panels)),
	}
}

export const dashboardId = (prefix: string, { id }: Dashboard): string => savedObjectId(prefix, id)

export function dashboardObject(dashboard: Dashboard, prefix: string): SavedObject {
	const built = builtPanels(dashboard, prefix)
	const controlled = dashboard.controls.map(({ id }) =>
		reference(`controlGroup_${id}:optionsListDataView`, 'index-pattern', dataViewId(prefix, 'everything')),
	)
	const attributes = {
		title: titleOf(prefix, dashboard.title),
		description: dashboard.description,
		panelsJSON: JSON.stringify(built.map(({ panel }) => panel)),
		optionsJSON: JSON.stringify({
			useMargins: true,
			syncColors: true,
			syncCursor: true,
			syncTooltips: false,
			hidePanelTitles: false,
		}),
		controlGroupInput: controlGroup(dashboard.controls),
		kibanaSavedObjectMeta: { searchSourceJSON: searchSource('') },
		timeRestore: true,
		timeFrom: 'now-24h',
		timeTo: 'now',
		refreshInterval: { pause: true, value: 60_000 },
		version: 1,
	}
	return savedObject('dashboard', dashboardId(prefix, dashboard), attributes, [
		...built.flatMap(({ references }) => references),
		...controlled,
	])
}

/** Leads from each dashboard to the others, with the time and the filters that are set. */
export function linksObject(dashboards: readonly Dashboard[], prefix: string): SavedObject {
	const refName = (id: string): string => `link_${id}_dashboard`
	return savedObject(
		'links',
		savedObjectId(prefix, 'links'),
		{
			title: titleOf(prefix, 'Dashboards'),
			description: 'Between the dashboards of Kubetape.',
			layout: 'horizontal',
			links: dashboards.map(({ id, title }, order) => ({
				id,
				order,
				type: 'dashboardLink',
				label: title,
				destinationRefName: refName(id),
				options: { openInNewTab: false, useCurrentFilters: true, useCurrentDateRange: true },
			})),
		},
		dashboards.map((dashboard) => reference(refName(dashboard.id), 'dashboard', dashboardId(prefix, dashboard))),
	)
}
