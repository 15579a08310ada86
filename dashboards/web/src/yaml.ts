// An object as YAML 1.2: keys in their order, long texts as blocks, so that it can be read, copied and applied.

/** Plain scalars that no parser takes for something else. */
const plain = /^[A-Za-z_/][\w./@+-]*(?:[ :][\w./@+=-]+)*$/
const special = /^(?:true|false|null|yes|no|on|off|y|n|~|\.inf|\.nan)$/i
const block = /^[^\s].*\n/s

function scalar(value: unknown, indent: string): string {
	if (typeof value !== 'string') return JSON.stringify(value) ?? 'null'
	if (plain.test(value) && !special.test(value) && !value.includes(': ')) return value
	if (isBlock(value)) {
		const lines = value.endsWith('\n') ? value.slice(0, -1).split('\n') : value.split('\n')
		const head = value.endsWith('\n') ? '|' : '|-'
		return [head, ...lines.map((line) => (line === '' ? '' : `${indent}  ${line}`))].join('\n')
	}
	return JSON.stringify(value)
}

/** Texts of several lines that a block keeps exactly: no line ends in blanks, nothing that cannot be printed, no empty line at the end. */
function isBlock(text: string): boolean {
	return block.test(text) && !/[^\t\n\x20-\x7e\u00a1-\ud7ff\ue000-\ufefe]|\n\n$|[ \t]\n|[ \t]$/.test(text)
}

function key(name: string): string {
	return plain.test(name) && !special.test(name) && !name.includes(' ') ? name : JSON.stringify(name)
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0

function put(value: unknown, indent: string, lines: string[], lead: string): void {
	if (typeof value !== 'object' || value === null || isEmpty(value)) {
		lines.push(...`${lead}${scalar(value, indent)}`.split('\n'))
		return
	}
	let first = lead
	for (const [name, item] of Array.isArray(value) ? value.map((inner: unknown) => ['-', inner] as const) : Object.entries(value)) {
		const nested = typeof item === 'object' && item !== null && !isEmpty(item)
		if (Array.isArray(value)) put(item, `${indent}  `, lines, `${first}- `)
		else if (nested) {
			lines.push(`${first}${key(name)}:`)
			put(item, `${indent}  `, lines, `${indent}  `)
		} else put(item, indent, lines, `${first}${key(name)}: `)
		first = indent
	}
}

/** One line per element, without their ends. */
export function yamlLines(value: unknown): readonly string[] {
	const lines: string[] = []
	put(value, '', lines, '')
	return lines
}
