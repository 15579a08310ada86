// Draws a Vega-Lite specification as Kibana does: its names in percent signs are filled in, the answer takes the place of the request, and the libraries make a picture of it.
import { parse, View, type LoggerInterface } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

export type Specification = Readonly<Record<string, unknown>>

export interface Drawing {
	readonly svg: string
	/** What the compiler said of the specification. */
	readonly warnings: readonly string[]
}

export interface Context {
	/** Kibana's query bar and filters, as clauses of a bool query. */
	readonly must: readonly object[]
	readonly filter: readonly object[]
	readonly mustNot: readonly object[]
	readonly from: string
	readonly to: string
}

/** As `_injectContextVars` of Kibana's vega/public/data_model/es_query_parser.ts does. */
export function filledIn(value: unknown, context: Context): unknown {
	if (Array.isArray(value))
		return value.flatMap((each) => {
			if (each === '%dashboard_context-must_clause%') return context.must
			if (each === '%dashboard_context-filter_clause%') return context.filter
			if (each === '%dashboard_context-must_not_clause%') return context.mustNot
			return [filledIn(each, context)]
		})
	if (typeof value !== 'object' || value === null) return value
	if ('%timefilter%' in value) return { gte: context.from, lte: context.to, format: 'strict_date_optional_time' }
	return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filledIn(each, context)]))
}

/** There is no window that the mouse could be moved over. */
const withoutWindow = 'Can not resolve event source: window'

function collecting(warnings: string[]): LoggerInterface {
	const note = (...said: readonly unknown[]): void => {
		const text = said.map(String).join(' ')
		if (text !== withoutWindow) warnings.push(text)
	}
	const logger: LoggerInterface = {
		level: () => logger,
		error: (...said) => (note(...said), logger),
		warn: (...said) => (note(...said), logger),
		info: () => logger,
		debug: () => logger,
	}
	return logger
}

/** `answer`: what Elasticsearch said. Rejects where the specification does not compile or does not run. */
export async function draw(specification: Specification, answer: object): Promise<Drawing> {
	const data = { ...(specification['data'] as object), url: undefined, values: answer }
	const warnings: string[] = []
	const logger = collecting(warnings)
	const sized = { ...specification, data, width: 1200, height: 480 } as unknown as TopLevelSpec
	const { spec } = compile(sized, { logger })
	const view = new View(parse(spec), { renderer: 'none', logger })
	try {
		return { svg: await view.toSVG(), warnings }
	} finally {
		view.finalize()
	}
}

/** The marks of the records, each with its colour and its tooltip. */
export function marksIn(svg: string): readonly { readonly fill: string; readonly label: string }[] {
	return [...svg.matchAll(/<path aria-label="([^"]*)" role="graphics-symbol"[^>]*? fill="([^"]*)"/g)].map(([, label = '', fill = '']) => ({
		fill,
		label,
	}))
}

/** The texts of the lanes, from above. */
export function lanesIn(svg: string): readonly string[] {
	const axis = /aria-label="Y-axis[^"]*"[^]*?role-axis-label[^>]*>([^]*?)<\/g>/.exec(svg)?.[1] ?? ''
	return [...axis.matchAll(/<text[^>]*translate\(-?[\d.]+,(-?[\d.]+)\)[^>]*>([^<]*)</g)]
		.map(([, y, text = '']) => ({ y: Number(y), text }))
		.toSorted((a, b) => a.y - b.y)
		.map(({ text }) => text)
}
