// Everything that Kibana gets, as one file to import: the same for the same prefix, byte for byte.
import { changeFeed } from './boards/change-feed.ts'
import { clusterTimeline } from './boards/cluster-timeline.ts'
import { events } from './boards/events.ts'
import { failedAndForbidden } from './boards/failed-and-forbidden.ts'
import { pipelineHealth } from './boards/pipeline-health.ts'
import { whoDidWhat } from './boards/who-did-what.ts'
import { dashboardObject, linksObject } from './dashboard.ts'
import { dataViews } from './data-views.ts'
import type { Panel, SavedSearch, VegaPanel } from './panel.ts'
import { kqlOf } from './query.ts'
import { dataViewId, reference, savedObject, savedObjectId, searchSource, titleOf, type SavedObject } from './saved-object.ts'

export const dashboards = [clusterTimeline, whoDidWhat, failedAndForbidden, changeFeed, events, pipelineHealth] as const

const panels = (): readonly Panel[] => dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels.map(([, panel]) => panel)))

function searchObject(search: SavedSearch, prefix: string): SavedObject {
	const source = 'kibanaSavedObjectMeta.searchSourceJSON.index'
	return savedObject(
		'search',
		savedObjectId(prefix, search.id),
		{
			title: titleOf(prefix, search.title),
			description: search.description,
			columns: search.columns,
			sort: [['@timestamp', 'desc']],
			grid: {},
			hideChart: false,
			isTextBasedQuery: false,
			timeRestore: false,
			kibanaSavedObjectMeta: { searchSourceJSON: searchSource(kqlOf(search.where), source) },
		},
		[reference(source, 'index-pattern', dataViewId(prefix, search.view))],
	)
}

function vegaObject(panel: VegaPanel, prefix: string): SavedObject {
	const title = titleOf(prefix, panel.title)
	return savedObject('visualization', savedObjectId(prefix, panel.id), {
		title,
		description: panel.description,
		visState: JSON.stringify({
			title,
			type: 'vega',
			aggs: [],
			params: { spec: JSON.stringify(panel.specification(prefix), undefined, 2) },
		}),
		uiStateJSON: '{}',
		version: 1,
		kibanaSavedObjectMeta: { searchSourceJSON: searchSource('') },
	})
}

/** Each once, what is referred to before what refers to it; the dashboards and the links between them refer to each other. */
export function savedObjects(prefix: string): readonly SavedObject[] {
	const own = new Map<string, SavedObject>()
	for (const panel of panels()) {
		if (panel.kind === 'search') own.set(panel.id, searchObject(panel, prefix))
		if (panel.kind === 'vega') own.set(panel.id, vegaObject(panel, prefix))
	}
	return [
		...dataViews(prefix),
		...own.values(),
		...dashboards.map((dashboard) => dashboardObject(dashboard, prefix)),
		linksObject(dashboards, prefix),
	]
}

/** As Kibana exports: one object a line, and a line that counts them. `prefix`: what the names of the store's indices begin with (store.elasticsearch.prefix). */
export function savedObjectsFile(prefix: string): string {
	const objects = savedObjects(prefix)
	const summary = {
		excludedObjects: [],
		excludedObjectsCount: 0,
		exportedCount: objects.length,
		missingRefCount: 0,
		missingReferences: [],
	}
	return [...objects, summary].map((line) => `${JSON.stringify(line)}\n`).join('')
}
