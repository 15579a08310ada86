// Writes the tables by which etcd's protobuf values are read, and the catalog of built-in kinds, from the Go types of Kubernetes: their struct tags say
// protobuf number, JSON name, order, and what is left out when empty. Run it to move to another version: node tools/generate-protobuf.ts
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const version = 'v0.36.3'
const modules = ['k8s.io/api', 'k8s.io/apimachinery', 'k8s.io/kube-aggregator', 'k8s.io/apiextensions-apiserver']

interface GoField {
	readonly name: string
	readonly type: string
	readonly json: string
	readonly number: number
	readonly rep: boolean
	readonly inline: boolean
	readonly omitempty: boolean
	readonly omitzero: boolean
}

interface GoType {
	readonly struct?: readonly GoField[]
	readonly alias?: string
	/** Has kind and apiVersion of its own: what has not is a part of an object. */
	readonly typed: boolean
	readonly client: boolean
	readonly clusterScoped: boolean
}

interface GoPackage {
	readonly path: string
	readonly imports: Map<string, string>
	readonly types: Map<string, GoType>
	group: string | undefined
}

const packages = new Map<string, GoPackage>()
const special: Readonly<Record<string, string>> = {
	'k8s.io/apimachinery/pkg/apis/meta/v1.Time': 'T',
	'k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime': 'U',
	'k8s.io/apimachinery/pkg/apis/meta/v1.Duration': 'D',
	'k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1': 'F',
	'k8s.io/apimachinery/pkg/api/resource.Quantity': 'Q',
	'k8s.io/apimachinery/pkg/util/intstr.IntOrString': 'I',
	'k8s.io/apimachinery/pkg/runtime.RawExtension': 'R',
	'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON': 'J',
}
/** Kinds of this group are stored as JSON: their messages say the order of the fields only. */
const jsonModule = 'k8s.io/apiextensions-apiserver'
/** Types whose JSON is that of a schema, or of something without fields (apiextensions-apiserver pkg/apis/apiextensions/v1/marshal.go). */
const schemaOr = /\.JSONSchemaPropsOr(Array|Bool|StringArray)$/

function readField(line: string): GoField | undefined {
	const match = /^\t(?:(\w+)[ \t]+)?([^\s`]+)[ \t]+`(.*)`/.exec(line)
	if (!match) return undefined
	const tags = match[3] ?? ''
	const json = /json:"([^"]*)"/.exec(tags)?.[1]?.split(',') ?? []
	const protobuf = /protobuf:"\w+,(\d+),(\w+)/.exec(tags)
	if (!protobuf) return undefined
	const type = match[2] ?? ''
	return {
		name: match[1] ?? type.replace(/^.*\./, '').replace('*', ''),
		type,
		json: json[0] ?? '',
		number: Number(protobuf[1]),
		rep: protobuf[2] === 'rep',
		inline: json[0] === '',
		omitempty: json.includes('omitempty'),
		omitzero: json.includes('omitzero'),
	}
}

function readPackage(dir: string, path: string): void {
	const found: GoPackage = { path, imports: new Map(), types: new Map(), group: undefined }
	for (const file of readdirSync(dir).filter((name) => name.endsWith('.go') && !/_test\.go$|^zz_|generated/.test(name))) {
		const text = readFileSync(join(dir, file), 'utf8')
		for (const match of text.matchAll(/^\s+(?:(\w+) )?"((?:k8s\.io)\/[^"]+)"$/gm)) {
			const target = match[2] ?? ''
			found.imports.set(match[1] ?? target.split('/').at(-1) ?? '', target)
		}
		found.group ??= /GroupName\s*=\s*"([^"]*)"/.exec(text)?.[1]
		for (const match of text.matchAll(/((?:^\/\/.*\n|^\n)*)^type (\w+) (struct \{([\s\S]*?)^\}|struct ?\{(\})$|[^\n{]+$)/gm)) {
			const marks = match[1] ?? ''
			const client = /\+genclient\b/.test(marks) && !/\+genclient:noVerbs/.test(marks)
			const base = { client, clusterScoped: /\+genclient:nonNamespaced/.test(marks), typed: /^\tmetav1\.TypeMeta\b/m.test(match[4] ?? '') }
			const body = match[5] === undefined ? match[4] : ''
			if (body === undefined)
				found.types.set(match[2] ?? '', {
					...base,
					alias: (match[3] ?? '')
						.replace(/\s*\/\/.*$/, '')
						.replace(/^=/, '')
						.trim(),
				})
			else
				found.types.set(match[2] ?? '', {
					...base,
					struct: body
						.split('\n')
						.map(readField)
						.filter((field) => field !== undefined),
				})
		}
	}
	if (found.types.size > 0) packages.set(path, found)
}

function walk(dir: string, path: string): void {
	readPackage(dir, path)
	for (const name of readdirSync(dir)) {
		if (name !== 'testdata' && statSync(join(dir, name)).isDirectory()) walk(join(dir, name), `${path}/${name}`)
	}
}

for (const module of modules) {
	const { Dir } = JSON.parse(execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], { encoding: 'utf8', cwd: '/' })) as {
		Dir: string
	}
	walk(Dir, module)
}

/** `pkg.T` or `T` as seen from a package: the package and name that it stands for. */
function resolve(from: GoPackage, name: string): { readonly from: GoPackage; readonly full: string; readonly type: GoType | undefined } {
	const [alias, local] = name.includes('.') ? name.split('.') : [undefined, name]
	const path = alias === undefined ? from.path : (from.imports.get(alias) ?? alias)
	const home = packages.get(path)
	return { from: home ?? from, full: `${path}.${local}`, type: home?.types.get(local ?? '') }
}

type Kind = readonly [kind: string, message?: string]
const messages = new Map<string, unknown[]>()
const scalars: Readonly<Record<string, string>> = {
	string: 's',
	bool: 'b',
	int32: 'i',
	int64: 'i',
	int: 'i',
	uint8: 'i',
	uint32: 'i',
	uint64: 'i',
	float64: 'd',
	byte: 'i',
}

function kindOf(from: GoPackage, type: string): Kind {
	if (type === '[]byte') return ['y']
	if (scalars[type]) return [scalars[type]]
	const written = resolve(from, type)
	const target = schemaOr.test(written.full) ? resolve(written.from, 'JSONSchemaProps') : written
	const known = special[target.full]
	if (known) return [known]
	if (target.type?.struct) return ['m', addMessage(target.from, target.full, target.type.struct)]
	if (target.type?.alias?.startsWith('[]')) return ['L'] // a list of strings in a message of its own (ExtraValue)
	if (target.type?.alias) return kindOf(target.from, target.type.alias)
	return ['s'] // types.UID and other named strings of packages without messages
}

/** A named map is always written in place, a named list where a field of it is repeated on the wire. */
function underlying(from: GoPackage, type: string, isRepeated: boolean): { readonly from: GoPackage; readonly type: string } {
	if (/^[\w.]+$/.test(type) && !scalars[type]) {
		const target = resolve(from, type)
		if (target.type?.alias && (isRepeated ? /^(\[\]|map)/ : /^map/).test(target.type.alias))
			return { from: target.from, type: target.type.alias }
	}
	return { from, type }
}

/** [number, JSON name, container (0 one, 1 list, 2 map), kind, flags (1 pointer, 2 omitempty, 4 omitzero, 8 inline), message]. */
function addMessage(from: GoPackage, full: string, fields: readonly GoField[]): string {
	const name = full
		.replace(/^k8s\.io\//, '')
		.replace('apimachinery/pkg/apis/', '')
		.replace('apimachinery/pkg/', '')
		.replace('api/', '')
		.replace('/pkg/apis', '')
	if (messages.has(name)) return name
	const rows: unknown[] = []
	messages.set(name, rows)
	for (const field of fields) {
		const pointer = field.type.startsWith('*')
		const bare = pointer ? field.type.slice(1) : field.type
		const { from: home, type } = underlying(from, bare, field.rep)
		const map = /^map\[[\w.]+\](.+)$/.exec(type)
		const container = map ? 2 : type.startsWith('[]') && type !== '[]byte' ? 1 : 0
		const [kind, message] = kindOf(home, map ? (map[1] ?? '') : container === 1 ? type.slice(2).replace(/^\*/, '') : type)
		const flags = (pointer ? 1 : 0) | (field.omitempty ? 2 : 0) | (field.omitzero ? 4 : 0) | (field.inline ? 8 : 0)
		rows.push([field.number, field.json, container, kind, flags, ...(message === undefined ? [] : [message])])
	}
	return name
}

function plural(kind: string): string {
	const lower = kind.toLowerCase()
	if (lower === 'endpoints') return lower
	if (lower.endsWith('s')) return `${lower}es`
	return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`
}

const kinds: Record<string, string> = {}
/** Whose JSON is put into the order of the fields. */
const jsonKinds: Record<string, string> = {}
const catalog: { group: string; version: string; kind: string; resource: string; namespaced: boolean }[] = []
const rankOf = (name: string): number => (/^v\d+$/.test(name) ? 100 : /^v\d+beta/.test(name) ? 50 : 0) + Number(/\d+/.exec(name)?.[0] ?? 0)
for (const found of [...packages.values()].toSorted((a, b) => a.path.localeCompare(b.path))) {
	const apiVersion = found.path.split('/').at(-1) ?? ''
	if (!/^v\d/.test(apiVersion) || found.group === undefined || found.path.includes('meta/')) continue
	for (const [name, type] of found.types) {
		const metadata = type.struct?.some((field) => field.json === 'metadata' && field.name === 'ObjectMeta')
		if (!type.struct || !metadata || !type.typed) continue
		if (found.path.startsWith(jsonModule) && apiVersion !== 'v1') continue
		const kind = `${found.group === '' ? '' : `${found.group}/`}${apiVersion}/${name}`
		;(found.path.startsWith(jsonModule) ? jsonKinds : kinds)[kind] = addMessage(found, `${found.path}.${name}`, type.struct)
		if (type.client)
			catalog.push({ group: found.group, version: apiVersion, kind: name, resource: plural(name), namespaced: !type.clusterScoped })
	}
}

const best = new Map<string, (typeof catalog)[number]>()
for (const type of catalog.filter(({ group }) => group !== 'extensions')) {
	const key = `${type.group}/${type.kind}`
	const known = best.get(key)
	if (!known || rankOf(type.version) > rankOf(known.version)) best.set(key, type)
}
const types = [...best.values()].toSorted((a, b) => a.group.localeCompare(b.group) || a.kind.localeCompare(b.kind))
writeFileSync(
	join('collectors', 'etcd', 'types.generated.json'),
	`${JSON.stringify({ version, kinds, jsonKinds, messages: Object.fromEntries([...messages].toSorted(([a], [b]) => a.localeCompare(b))) }).replaceAll(/("[\w./-]+":\[\[)/g, '\n$1')}\n`,
)
writeFileSync(
	join('records', 'catalog-built-in.ts'),
	`// Built-in kinds of Kubernetes 1.36. Generated by tools/generate-protobuf.ts: do not edit.\nimport type { ResourceType } from './catalog.ts'\n\nexport const builtIn: readonly ResourceType[] = [\n${types.map((type) => `\t{ group: '${type.group}', version: '${type.version}', kind: '${type.kind}', resource: '${type.resource}', namespaced: ${type.namespaced} },`).join('\n')}\n]\n`,
)
console.log(`${Object.keys(kinds).length} kinds in ${messages.size} messages; ${types.length} resources`)
