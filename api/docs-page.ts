// The browsable reference: one self-contained page made from the OpenAPI document's routes.
import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import type { RouteDescription } from './route.ts'

const style = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem}summary{cursor:pointer;padding:.4rem 0}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{overflow:auto;padding:.8rem;border:1px solid #8886;border-radius:6px}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}details{border-bottom:1px solid #8884}.k{opacity:.75}`

/** The page runs no script; its one style sheet is named by hash. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => escapes[char] ?? char)

interface Property {
	readonly type?: string | readonly string[]
	readonly description?: string
	readonly enum?: readonly string[]
	readonly default?: unknown
	readonly maximum?: number
}

interface Shape {
	readonly properties?: Readonly<Record<string, Property>>
	readonly required?: readonly string[]
}

function rows(place: string, schema: TSchema | undefined): string {
	const object: Shape | undefined = schema
	return Object.entries(object?.properties ?? {})
		.map(([name, property]) => {
			const type = property.enum ? property.enum.join(' | ') : String(property.type ?? 'any')
			const notes = [
				object?.required?.includes(name) ? 'required' : '',
				property.default === undefined ? '' : `default ${JSON.stringify(property.default)}`,
				property.maximum === undefined ? '' : `at most ${property.maximum}`,
			]
			const shown = notes.filter((note) => note !== '').join(', ')
			return `<tr><td><code>${escape(name)}</code><td>${place}<td>${escape(type)}<td>${escape(property.description ?? '')} <span class="k">${escape(shown)}</span>`
		})
		.join('\n')
}

function section(route: RouteDescription): string {
	const url = route.url.replaceAll(/:(\w+)/g, '{$1}')
	const table = rows('path', route.params) + rows('query', route.query)
	const answer = route.response
		? `<h4>Answer</h4><pre>${escape(JSON.stringify(route.response, null, 2))}</pre>`
		: `<p>Answers <code>${escape(route.contentType ?? '')}</code>.</p>`
	return `<details><summary><code>GET ${escape(url)}</code> ${escape(route.summary)}</summary>
${route.description ? `<p>${escape(route.description)}</p>` : ''}${table ? `<table><thead><tr><th>Parameter<th>In<th>Type<th>Meaning</thead><tbody>${table}</tbody></table>` : '<p>No parameters.</p>'}${answer}</details>`
}

export function docsPage(routes: readonly RouteDescription[], version: string): string {
	const tags = [...new Set(routes.map((route) => route.tag))]
	const parts = tags.map(
		(tag) =>
			`<h2>${escape(tag)}</h2>\n${routes
				.filter((route) => route.tag === tag)
				.map(section)
				.join('\n')}`,
	)
	return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Kubetape API</title><style>${style}</style>
<body><main><h1>Kubetape API <small>${escape(version)}</small></h1>
<p>Read-only. JSON; errors are <code>{"error":{"code","message"}}</code>, lists <code>{"items":[],"next":cursor|null}</code>, times RFC 3339 in UTC, revisions decimal strings. As OpenAPI: <a href="/openapi.json">/openapi.json</a></p>
${parts.join('\n')}</main></body></html>`
}
