// What is looked at: cluster, time range, filter words, all of it in the URL.

export interface View {
	readonly cluster: string
	readonly from: string
	readonly to: string
	/** As typed: `ns:shop kind:Deployment is:warning "free text"`. */
	readonly words: string
	readonly include: readonly string[]
	readonly table: boolean
	readonly live: boolean
	/** Object key of the open object, and its chosen revision. */
	readonly object: string
	readonly revision: string
}

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
}

export function readView(hash: string): View {
	const query = new URLSearchParams(hash.replace(/^#\/?/, ''))
	const text = (name: string): string => query.get(name) ?? ''
	return {
		cluster: text('cluster'),
		from: text('from'),
		to: text('to'),
		words: text('q'),
		include: query.has('include')
			? text('include')
					.split(',')
					.filter((name) => name !== '')
			: emptyView.include,
		table: text('view') === 'table',
		live: text('live') === '1',
		object: text('object'),
		revision: text('rev'),
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
	return `#/${query.toString()}`
}

const fields: Readonly<Record<string, string>> = {
	ns: 'namespace',
	namespace: 'namespace',
	kind: 'kind',
	name: 'name',
	uid: 'uid',
	user: 'user',
	verb: 'verb',
}

/** The words as parameters of the API. What is no `field:value` is free text. */
export function queryOf(view: View): Record<string, string> {
	const query: Record<string, string> = { cluster: view.cluster, include: view.include.join(',') || 'changes' }
	if (view.from !== '') query['from'] = view.from
	if (view.to !== '') query['to'] = view.to
	const free: string[] = []
	for (const word of view.words.match(/"[^"]*"|\S+/g) ?? []) {
		const [head = '', ...rest] = word.split(':')
		const value = rest.join(':')
		const field = fields[head]
		if (field !== undefined && value !== '') query[field] = value
		else if (head === 'is' && /^(warning|error)$/.test(value)) query['severity'] = value
		else if (word === 'owned') query['owner'] = 'true'
		else free.push(word)
	}
	if (free.length > 0) query['q'] = free.join(' ')
	return query
}
