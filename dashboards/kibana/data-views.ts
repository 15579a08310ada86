// Data views: one for each class of records, and one over all.
import { views, type View } from './panel.ts'
import { dataViewId, savedObject, titleOf, type SavedObject } from './saved-object.ts'

const names: Readonly<Record<View, string>> = {
	everything: 'Everything',
	changes: 'Changes',
	events: 'Cluster events',
	audit: 'Audit',
	logs: 'Logs',
	ledger: 'Coverage, gaps and rejects',
}

/** The indices of a view, as Elasticsearch takes them. Keyframes and the registry repeat what the records say, and are in none. */
export function indicesOf(prefix: string, view: View): string {
	const classes = view === 'everything' ? views.filter((each) => each !== 'everything') : [view]
	return classes.map((each) => `${prefix}-${each}-*`).join(',')
}

export function dataViews(prefix: string): readonly SavedObject[] {
	return views.map((view) =>
		savedObject('index-pattern', dataViewId(prefix, view), {
			title: indicesOf(prefix, view),
			name: titleOf(prefix, names[view]),
			timeFieldName: '@timestamp',
			// Before the first record of a class there is no index.
			allowNoIndex: true,
			fields: '[]',
			fieldAttrs: '{}',
			fieldFormatMap: '{}',
			runtimeFieldMap: '{}',
			sourceFilters: '[]',
		}),
	)
}
