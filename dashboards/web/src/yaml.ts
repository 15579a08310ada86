// An object as YAML-like text for reading: keys in their order, long strings whole.

export function yamlLines(value: unknown, indent = ''): readonly string[] {
	if (Array.isArray(value)) {
		return value.flatMap((item) => {
			const lines = yamlLines(item, `${indent}  `)
			const first = lines[0] ?? ''
			return [`${indent}- ${first.trimStart()}`, ...lines.slice(1)]
		})
	}
	if (typeof value === 'object' && value !== null) {
		return Object.entries(value).flatMap(([key, item]) => {
			const nested = typeof item === 'object' && item !== null && Object.keys(item).length > 0
			return nested ? [`${indent}${key}:`, ...yamlLines(item, `${indent}  `)] : [`${indent}${key}: ${scalar(item)}`]
		})
	}
	return [`${indent}${scalar(value)}`]
}

function scalar(value: unknown): string {
	if (typeof value === 'string')
		return /^[\w./@-][\w ./:@=,+()-]*$/.test(value) && !/^(true|false|null|\d+(\.\d+)?)$/.test(value) && !value.endsWith(':')
			? value
			: JSON.stringify(value)
	return JSON.stringify(value) ?? 'null'
}
