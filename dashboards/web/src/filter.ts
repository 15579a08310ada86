// What is looked at: cluster, time range, filter words and what is open, all of it in the URL.

export interface View {
	readonly cluster: string
	readonly from: string
	readonly to: string
	/** As typed: `ns:shop kind:Deployment is:warning "free text"`. */
	readonly words: string
	readonly include: readonly string[]
	readonly table: boolean
	readonly live: boolean
	/** Object key of the open object, its chosen revision, and the one it is compared with; empty: the version before. */
	readonly object: string
	readonly revision: string
	readonly base: string
	/** The whole object instead of what changed. */
	readonly whole: boolean
	/** What was seen whole, gaps and rejects. */
	readonly ledger: boolean
	/** The summary is folded away. */
	readonly folded: boolean
}

/** As `from`: no begin, also where the default is the last hour. */
export const everything = 'all'

export const includes = ['changes', 'events', 'audit', 'logs'] as const
export const emptyView: View = {
	cluster: '',
	from: '',
	to: '',
	words: '',
	include: ['changes', 'events', 'audit'],
	table: false,
	live: false,
	object: '',
	revision: '',
	base: '',
	whole: false,
	ledger: false,
	folded: false,
}

export function readView(hash: string): View {
	const query = new URLSearchParams(hash.replace(/^#\/?/, ''))
	const text = (name: string): string => query.get(name) ?? ''
	const named = text('include').split(',')
	return {
		cluster: text('cluster'),
		from: text('from'),
		to: text('to'),
		words: text('q'),
		include: query.has('include') ? includes.filter((name) => named.includes(name)) : emptyView.include,
		table: text('view') === 'table',
		// New records are behind every end of a range.
		live: text('live') === '1' && text('to') === '',
		object: text('object'),
		revision: text('rev'),
		base: text('base'),
		whole: text('show') === 'whole',
		ledger: text('panel') === 'coverage',
		folded: text('summary') === '0',
	}
}

export function writeView(view: View): string {
	const query = new URLSearchParams()
	const put = (name: string, value: string): void => {
		if (value !== '') query.set(name, value)
	}
	put('cluster', view.cluster)
	put('from', view.from)
	put('to', view.to)
	put('q', view.words)
	if (view.include.join() !== emptyView.include.join()) query.set('include', view.include.join(','))
	put('view', view.table ? 'table' : '')
	put('live', view.live ? '1' : '')
	put('object', view.object)
	put('rev', view.revision)
	put('base', view.base)
	put('show', view.whole ? 'whole' : '')
	put('panel', view.ledger ? 'coverage' : '')
	put('summary', view.folded ? '0' : '')
	return `#/${query.toString()}`
}

/** Words of the filter box, and the parameter of the API that each one sets. */
export const filterWords: Readonly<Record<string, string>> = {
	ns: 'namespace',
	namespace: 'namespace',
	kind: 'kind',
	name: 'name',
	uid: 'uid',
	user: 'user',
	verb: 'verb',
	code: 'code',
	resource: 'resource',
	subresource: 'subresource',
	ip: 'sourceIP',
	pod: 'pod',
	container: 'container',
	node: 'node',
	unit: 'unit',
}

/** The words as parameters of the API. What is no `field:value` is free text. */
export function queryOf(view: View): Record<string, string> {
	const query: Record<string, string> = { cluster: view.cluster, include: view.include.join(',') || 'alerts' }
	if (view.from !== '' && view.from !== everything) query['from'] = view.from
	if (view.to !== '') query['to'] = view.to
	const free: string[] = []
	for (const typed of view.words.match(/(?:[^\s":]+:)?"[^"]*"|\S+/g) ?? []) {
		const [head = '', ...rest] = typed.split(':')
		const value = rest.join(':').replace(/^"(.*)"$/, '$1')
		const name = head.toLowerCase()
		const field = Object.hasOwn(filterWords, name) ? filterWords[name] : undefined
		if (field !== undefined && value !== '') query[field] = field === 'verb' ? value.toLowerCase() : value
		else if (name === 'is' && /^(warning|error)$/i.test(value)) query['severity'] = value.toLowerCase()
		else if (typed === 'owned') query['owner'] = 'true'
		else free.push(typed)
	}
	if (free.length > 0) query['q'] = free.join(' ')
	return query
}

/** Everything of the cluster in the range, whatever the filter: what the summary is made of. */
export function wholeQueryOf(view: View): Record<string, string> {
	return queryOf({ ...view, words: '', include: emptyView.include })
}

/** A value as a filter word: quoted where it has blanks. */
export function word(field: string, value: string): string {
	return /\s/.test(value) ? `${field}:"${value}"` : `${field}:${value}`
}
