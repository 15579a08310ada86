// The scan against the walk: where the scan says "clean", the walk must change nothing; and no secret survives, however it is nested.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Scanner } from '#processors/redact/scan.ts'
import { redactValue } from '#processors/redact/walk.ts'
import { Body } from '#records/body.ts'
import { appended, base64, changeOf, entryOf, planted } from './support.ts'

const scanner = new Scanner()
const sealed = (): string => 'kubetape:hmac:0000000000000000'

/** Words, and what may stand between them: so put together that they often mean something. */
const words =
	'password passwd PASSWORD passphrase secret Secret SECRET token Token TOKEN credential authorization Authorization .k8s.io cookie api_key api-key apiKey private_key privateKey auth access_ client_ name value kind data stringData path op env valueFrom secretKeyRef release key ref a abcd1234 hunter2hunter2 true 1234'.split(
		' ',
	)
const marks = [
	'"',
	'\\"',
	'\\\\',
	'\\n',
	'\n',
	'\t',
	' ',
	': ',
	':',
	'=',
	'{',
	'}',
	'[',
	']',
	',',
	"'",
	'/',
	'://',
	'@',
	'-',
	'--',
	'_',
	'?',
	'&',
	'<',
	'#',
]
const others = [
	'$(',
	'{{',
	'- ',
	'|',
	'>',
	'*a',
	'&a ',
	'<<: ',
	'é',
	'ſ',
	'K',
	'\u00a0',
	'\u2028',
	'/env/0/value',
	'Basic ',
	'Bearer ',
	'H4sIaaaa',
	'sig=',
]
const shapes = [
	`eyJaaaaaaaa.eyJaaaaaaaa.aaaaaaaa`,
	`ghp_${'a1'.repeat(12)}`,
	`AKIA${'A1'.repeat(8)}`,
	`glpat-${'a1'.repeat(10)}`,
	`sk-ant-${'a1'.repeat(12)}`,
]
const text = fc
	.array(
		fc.oneof(
			{ weight: 5, arbitrary: fc.constantFrom(...words) },
			{ weight: 4, arbitrary: fc.constantFrom(...marks) },
			fc.constantFrom(...others, ...shapes),
		),
		{
			maxLength: 7,
		},
	)
	.map((parts) => parts.join(''))
const key = fc.oneof(
	fc.constantFrom(
		'name',
		'value',
		'kind',
		'data',
		'token',
		'secret',
		'password',
		'auth',
		'op',
		'path',
		'env',
		'args',
		'DB_TOKEN_X',
		'release',
	),
	text,
)
const value = fc.letrec<{ any: unknown }>((tie) => ({
	any: fc.oneof(
		{ maxDepth: 4, depthSize: 'small' },
		text,
		fc.constantFrom<unknown>(12_345, true, null),
		fc.array(tie('any'), { maxLength: 3 }),
		fc.dictionary(key, tie('any'), { maxKeys: 3 }),
		tie('any').map((inner) => JSON.stringify(inner)),
	),
})).any

describe('the scan', () => {
	it('does not call a line of YAML clean whose variable only begins with the word', () => {
		for (const line of ['PASSWORD1234: key', 'DB_TOKEN_OF_A: hunter2hunter2'])
			expect(scanner.mayNeedWalk(Body.ofText(JSON.stringify([[[line]]]))), line).toBe(true)
	})

	it('says clean only where the walk changes nothing', () => {
		let clean = 0
		fc.assert(
			fc.property(value, fc.constantFrom(undefined, 1), (json, indent) => {
				if (scanner.mayNeedWalk(Body.ofBytes(Buffer.from(JSON.stringify(json, null, indent))))) return
				clean += 1
				expect(redactValue(json, sealed)).toBe(json)
			}),
			{ numRuns: 20_000 },
		)
		expect(clean).toBeGreaterThan(2000)
	})

	it('finds loose writings', () => {
		for (const loose of ["kind:Secret 'data':{'a':'b'}", "x kind : 'Secret' 'data':{1}"]) {
			expect(redactValue({ loose }, sealed)).toEqual({ loose: loose.replace(/\{.*\}/, `{${sealed()}}`) })
			expect(scanner.mayNeedWalk(Body.ofText(JSON.stringify({ loose })))).toBe(true)
		}
	})

	it('finds a word wherever it begins, and however long the body is', () => {
		for (let before = 0; before < 20; before += 1)
			for (const length of [0, 1, 7, 300_000])
				for (const word of ['"adminPassword":"hunter2"', '"x":"ghp_aaaaaaaaaaaaaaaaaaaaaaaa"', '"\\u0061":1', '"a\\/b":1'])
					expect(scanner.mayNeedWalk(Body.ofText(`{${' '.repeat(before)}"y":"${'z'.repeat(length)}",${word}}`))).toBe(true)
	})

	it('does not take what an earlier body left behind', () => {
		expect(scanner.mayNeedWalk(Body.ofText('{"a":"b","adminPassword":"hunter2"}'))).toBe(true)
		expect(scanner.mayNeedWalk(Body.ofText('{"a":"b"}'))).toBe(false)
	})
})

describe('a planted secret', () => {
	const asText = (inner: unknown): string => JSON.stringify(inner)
	/** Ways to hold a value: each takes one and gives one that holds it. */
	const holders: readonly ((inner: unknown, noise: unknown) => unknown)[] = [
		(inner, noise) => ({ noise, metadata: { annotations: { note: asText(inner) } } }),
		(inner, noise) => ({ kind: 'ConfigMap', data: { 'a.json': asText(inner), noise: asText(noise) } }),
		(inner, noise) => ({ kind: 'ConfigMap', data: { 'a.yaml': `# a comment\nspec: ${asText(inner)}\nnoise: ${asText(noise)}\n` } }),
		(inner, noise) => ({ 'kubectl.kubernetes.io/last-applied-configuration': asText(inner), noise }),
		(inner, noise) => ({ kind: 'List', items: [noise, inner] }),
		(inner) => [{ op: 'add', path: '/spec/x', value: inner }],
		(inner, noise) => [noise, inner, noise],
		(inner, noise) => ({ noise, spec: inner }),
	]
	const secrets: readonly unknown[] = [
		{ kind: 'Secret', data: { a: base64 } },
		{ stringData: { a: `two ${planted}` }, kind: 'Secret' },
		{ name: 'API_TOKEN', value: planted },
		{ value: planted, other: 1, name: 'DB_PASSWORD' },
		{ args: ['--token', planted] },
		{ adminPassword: planted },
		{ [`ghp_${planted}${planted}`]: 'ann' },
		`Bearer ${planted}`,
		`https://u:${planted}@h/`,
		`-----BEGIN PRIVATE KEY-----\n${planted}\n-----END PRIVATE KEY-----`,
		`kind: Secret\ndata:\n  a: ${base64}\n`,
		`{{ template }}\nkind: Secret\nstringData:\n  a: ${planted}\n  b: |\n    ${planted}\n`,
	]
	const noise = fc.jsonValue({ maxDepth: 1 })
	const nested = fc.tuple(fc.constantFrom(...secrets), fc.array(fc.tuple(fc.constantFrom(...holders), noise), { maxLength: 5 }))
	const build = ([secret, path]: readonly [unknown, readonly (readonly [(typeof holders)[number], unknown])[]]): unknown =>
		path.reduce<unknown>((inner, [hold, filler]) => hold(inner, filler), secret)

	it('survives nowhere in what is appended, of a version and of an audit entry, in JSON written any way', () => {
		fc.assert(
			fc.property(
				nested,
				fc.constantFrom(undefined, '\t'),
				fc.boolean(),
				fc.constantFrom('requestObject', 'responseObject'),
				(choice, indent, escaped, field) => {
					const json = build(choice)
					const write = (whole: unknown): string => {
						const plain = JSON.stringify(whole, null, indent)
						return escaped ? plain.replaceAll('o', '\\u006f').replaceAll('S', '\\u0053').replaceAll('/', '\\/') : plain
					}
					for (const bytes of [appended(changeOf(write({ root: json }))), appended(entryOf(write({ [field]: json })))]) {
						expect(bytes).not.toContain(planted)
						expect(bytes).not.toContain(base64.slice(0, 20))
					}
				},
			),
			{ numRuns: 1500 },
		)
	})
})
