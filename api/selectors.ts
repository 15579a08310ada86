// Label and field selectors in Kubernetes' syntax (apimachinery: labels/selector.go, fields/selector.go) as predicates.
import { KubetapeError } from '#runtime/errors.ts'
import { apiLimits } from './api-limits.ts'

type Labels = Readonly<Record<string, string>>
type Body = Readonly<Record<string, unknown>>

const labelKey = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/

const wrong = (kind: string, what: string): KubetapeError =>
	new KubetapeError('QUERY_INVALID', `${kind}: ${what}`, { details: { parameter: kind } })

/** Splits at commas outside of parentheses. */
function terms(kind: string, selector: string): readonly string[] {
	const parts: string[] = []
	let depth = 0
	let begin = 0
	for (let i = 0; i <= selector.length; i++) {
		const char = selector[i]
		if (char === '(') depth++
		if (char === ')') depth--
		if (depth < 0 || depth > 1) throw wrong(kind, 'parentheses do not match')
		if (i === selector.length || (char === ',' && depth === 0)) {
			parts.push(selector.slice(begin, i).trim())
			begin = i + 1
		}
	}
	if (depth !== 0) throw wrong(kind, 'parentheses do not match')
	if (parts.length > apiLimits.selectorTermsMax) throw wrong(kind, `more than ${apiLimits.selectorTermsMax} terms`)
	return parts
}

function labelTerm(term: string): (labels: Labels) => boolean {
	const kind = 'labelSelector'
	const key = (text: string): string => {
		const name = text.trim()
		if (!labelKey.test(name)) throw wrong(kind, `${JSON.stringify(name.slice(0, 80))} is no label key`)
		return name
	}
	const value = (text: string): string => {
		const trimmed = text.trim()
		if (!labelValue.test(trimmed)) throw wrong(kind, `${JSON.stringify(trimmed.slice(0, 80))} is no label value`)
		return trimmed
	}
	const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term)
	if (set) {
		const name = key(set[1] ?? '')
		const values = new Set((set[3] ?? '').split(',').map(value))
		// `notin` and `!=` also hold where the label is absent: so does the API server.
		return set[2] === 'in'
			? (labels) => Object.hasOwn(labels, name) && values.has(labels[name] ?? '')
			: (labels) => !Object.hasOwn(labels, name) || !values.has(labels[name] ?? '')
	}
	const equality = /^([^=!]+)(==|=|!=)(.*)$/s.exec(term)
	if (equality) {
		const name = key(equality[1] ?? '')
		const wanted = value(equality[3] ?? '')
		return equality[2] === '!='
			? (labels) => !Object.hasOwn(labels, name) || labels[name] !== wanted
			: (labels) => Object.hasOwn(labels, name) && labels[name] === wanted
	}
	if (term.startsWith('!')) {
		const name = key(term.slice(1))
		return (labels) => !Object.hasOwn(labels, name)
	}
	const name = key(term)
	return (labels) => Object.hasOwn(labels, name)
}

/** `a=b, a==b, a!=b, a in (b,c), a notin (b,c), a, !a`, joined by commas. An empty selector selects all. Throws QUERY_INVALID. */
export function parseLabelSelector(selector: string): (labels: Labels) => boolean {
	if (selector.trim() === '') return () => true
	const all = terms('labelSelector', selector).map(labelTerm)
	return (labels) => all.every((holds) => holds(labels))
}

function valueAt(body: Body, path: readonly string[]): string {
	let value: unknown = body
	for (const part of path)
		value = typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Body)[part] : undefined
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** `metadata.name=a, status.phase!=Running`, joined by commas; any path works, an absent field is empty. Throws QUERY_INVALID. */
export function parseFieldSelector(selector: string): (body: Body) => boolean {
	if (selector.trim() === '') return () => true
	const all = terms('fieldSelector', selector).map((term) => {
		const match = /^([A-Za-z][\w.-]*)\s*(==|=|!=)(.*)$/s.exec(term)
		if (!match) throw wrong('fieldSelector', `${JSON.stringify(term.slice(0, 80))} is not path=value or path!=value`)
		const path = (match[1] ?? '').split('.')
		const wanted = (match[3] ?? '').trim()
		return match[2] === '!=' ? (body: Body) => valueAt(body, path) !== wanted : (body: Body) => valueAt(body, path) === wanted
	})
	return (body) => all.every((holds) => holds(body))
}
