// Case by case: where a secret is found, and what is none and must stay as it is.
import { describe, expect, it } from 'vitest'
import { Body } from '#records/body.ts'
import type { KubetapeRecord, LogLine } from '#records/record.ts'
import { aChange, aClusterEvent, aLogLine, anAuditEntry } from '#test/support/records.ts'
import { appended, audit, base64, change, changeOf, lastApplied, planted, redact, secretRef } from './support.ts'

const text = (value: string): KubetapeRecord => change({ data: { 'app.conf': value } })
const widget = { ...secretRef, resource: 'widgets' }
const yamlSecret = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: ${planted}\n  note: |\n    first ${planted}\n    second\n`
const env = (name: string, value: string): object => ({ spec: { containers: [{ env: [{ name, value }] }] } })
const entry = (fields: object): KubetapeRecord => audit(fields, widget)
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${planted}`
const slackHook = `https://hooks.slack.com/services/T00000000/B00000000/${planted}`

const found: Readonly<Record<string, KubetapeRecord>> = {
	// A Secret
	'a number in stringData': change({ kind: 'Secret', stringData: { pin: 83_519_274_650_183 } }, secretRef),
	'a Secret with a name where none belongs': change({ kind: 'Secret', name: 'x', data: { a: base64 } }),
	'a Helm release': change({ kind: 'Secret', type: 'helm.sh/release.v1', data: { release: base64 } }, secretRef),
	'a Helm release in a ConfigMap': change({ kind: 'ConfigMap', data: { release: `H4sIAAAAAAAA${base64}` } }),
	'a Secret below a List': change({ kind: 'List', items: [{ kind: 'Secret', data: { a: base64 } }] }),
	'the version before': aChange({ object: secretRef, after: null, before: Body.ofValue({ kind: 'Secret', data: { a: base64 } }) }),
	'a deleted Secret without a kind': aChange({ object: secretRef, after: Body.ofValue({ data: { a: base64 } }), before: null }),
	// Said twice: a parser sees the last only
	'data said twice': changeOf(`{"kind":"Secret","data":{"a":"${base64}"},"data":null}`),
	'kind said twice': changeOf(`{"kind":"Secret","data":{"a":"${base64}"},"kind":"ConfigMap","data":{}}`),
	'an env said twice': changeOf(`{"name":"A_TOKEN","value":"${planted}","value":"","name":"x"}`),
	'said twice inside a string': change({
		metadata: { annotations: { [lastApplied]: `{"kind":"Secret","data":{"a":"${base64}"},"data":{}}` } },
	}),
	// Escapes
	'an escaped name': changeOf(`{"env":[{"n\\u0061me":"A_TOK\\u0045N","value":"${planted}"}]}`),
	'an escaped slash': changeOf(`{"dsn":"postgres:\\/\\/app:${planted}@db"}`),
	'an escaped ampersand in a password': changeOf(`{"dsn":"postgres://app:x\\u0026${planted}@db"}`),
	// What kubectl last applied
	'last applied, cut off': change({ metadata: { annotations: { [lastApplied]: `{"kind":"Secret","data":{"a":"${base64}` } } }),
	'last applied of a Secret without kind': change(
		{ metadata: { annotations: { [lastApplied]: `{"data":{"a":"${base64}"}}` } } },
		secretRef,
	),
	'last applied with an env': change({ metadata: { annotations: { [lastApplied]: JSON.stringify(env('DB_PASSWORD', planted)) } } }),
	// Documents in strings
	'a Secret as JSON in a ConfigMap': text(JSON.stringify({ kind: 'Secret', data: { a: base64 } })),
	'a Secret as indented JSON': text(JSON.stringify({ kind: 'Secret', data: { a: base64 } }, null, 2)),
	'a Secret as YAML': text(yamlSecret),
	'a Secret as the second YAML document': text(`kind: ConfigMap\ndata:\n  a: b\n---\n${yamlSecret}`),
	'a Secret as YAML in flow style': text(`{kind: Secret, stringData: {a: ${planted}}}`),
	'a Secret as YAML by an anchor': text(`x: &x ${planted}\nkind: Secret\nstringData:\n  a: *x\n`),
	'a Secret as YAML by a merge': text(`base: &base\n  kind: Secret\nit:\n  <<: *base\n  data:\n    a: ${base64}\n`),
	'a Secret as YAML in JSON in a string': text(JSON.stringify({ manifest: yamlSecret })),
	'a Secret in a YAML comment': text(`kind: Secret\nstringData:\n  a: b\n  # was ${planted}\n`),
	'a template of a Secret': text(`{{- if .Values.x }}\n${yamlSecret}{{- end }}\n`),
	'a template with a value over two lines': text(`{{ x }}\nkind: Secret\ndata:\n  a:\n    ${base64}\n  b: "${base64}" # ${planted}\n`),
	'Helm values': text(`auth:\n  rootPassword: ${planted} and more\n  username: root\n`),
	'an env as YAML': text(`env:\n  - name: API_TOKEN\n    value: ${planted}\n`),
	'an env in a template': text(`{{ x }}\nenv:\n  - name: API_TOKEN\n    value: "${planted}"\n`),
	'a docker configuration': text(JSON.stringify({ auths: { 'r.io': { auth: Buffer.from(`me:${planted}`).toString('base64') } } })),
	'a fragment of JSON in a log': aLogLine({ text: `Request Body: {"kind":"Secret","data":{"a":"${base64}","b":"${base64}"}}` }),
	'an escaped fragment in a log': aLogLine({ text: `body="{\\"kind\\":\\"Secret\\",\\"stringData\\":{\\"a\\":\\"${planted} }\\"}}"` }),
	'a fragment that is cut off': aLogLine({ text: `body {"kind":"Secret","stringData":{"a":"${planted}` }),
	'YAML in an event': aClusterEvent({ message: yamlSecret }),
	// Keys
	'a token as a key': change({ users: { [jwt]: 'ann' } }),
	'a token as a key of a Secret': change({ kind: 'Secret', data: { [`ghp_${planted}${planted}`]: '' } }, secretRef),
	'a token in managed fields': change({ metadata: { managedFields: [{ fieldsV1: { 'f:data': { [`f:glpat-${planted}`]: {} } } }] } }),
	// Names that tell
	'a variable': change(env('SESSION_SECRET', planted)),
	'a variable of a ConfigMap': change({ kind: 'ConfigMap', data: { SESSION_SECRET_V2: planted } }),
	'a number as a password': change({ adminPassword: 83_519_274_650_183 }),
	'a long number as a password': changeOf('{"password":83519274650183000000000000}'),
	'a long number in a Secret': changeOf('{"kind":"Secret","stringData":{"a":83519274650183000000000000}}'),
	'a token field': change({ spec: { bootstrapToken: planted } }),
	'a header by name': change({ headers: { Authorization: planted } }),
	'a flag of a shell command': change({ command: ['sh', '-c', `kubeadm join --token ${planted} x`] }),
	'a flag with =': change({ args: [`--token=${planted}`] }),
	'a shell variable': change({ command: ['sh', '-c', `API_TOKEN=${planted} run`] }),
	'an AWS secret key': text(`aws_secret_access_key = ${planted}`),
	// Shapes
	'Slack’s webhook': change({ url: slackHook }),
	'SendGrid’s key': change({ x: `SG.${planted}.${planted}` }),
	'an OpenShift token': change({ x: `sha256~${planted}${planted}${planted}` }),
	'Azure’s connection string': change({ x: `AccountName=a;AccountKey=${planted}aaaa==` }),
	'a signed URL': change({ x: `https://a/b?x=1&sig=${planted}` }),
	// Audit bodies
	'a created Secret': audit({
		requestObject: { kind: 'Secret', data: { a: base64 } },
		responseObject: { kind: 'Secret', data: { a: base64 } },
	}),
	'a strategic merge patch': audit({ requestObject: { data: { a: base64 }, $setElementOrder: {} } }),
	'a JSON patch of all of a Secret': audit({ requestObject: [{ op: 'replace', path: '', value: { data: { a: base64 } } }] }),
	'a JSON patch with escapes': audit({ requestObject: [{ op: 'add', path: '/data/a~1b', value: base64 }] }),
	'an apply patch as YAML': audit({ requestObject: `data:\n  a: ${base64}\n` }),
	'an apply patch that nothing reads': audit({ requestObject: base64 }),
	'an apply patch of something else, with a Secret': entry({ requestObject: yamlSecret }),
	'a JSON patch of a variable': entry({ requestObject: [{ op: 'replace', path: '/spec/containers/0/env/3/value', value: planted }] }),
	'a JSON patch that adds a variable': entry({
		requestObject: [{ op: 'add', path: '/spec/containers/0/env/-', value: { name: 'A_TOKEN', value: planted } }],
	}),
	'a JSON patch of a field': entry({ requestObject: [{ op: 'add', path: '/spec/adminPassword', value: planted }] }),
	'a JSON patch of last applied': entry({
		requestObject: [
			{ op: 'add', path: `/metadata/annotations/${lastApplied.replace('/', '~1')}`, value: `{"kind":"Secret","data":{"a":"${base64}"}}` },
		],
	}),
	'a user': anAuditEntry({ user: `Bearer ${planted}` }),
	'a group': anAuditEntry({ groups: [jwt] }),
	'a token in the query': anAuditEntry({ requestURI: `/api/v1/pods?token=${planted}` }),
}

const kept: Readonly<Record<string, unknown>> = {
	'an image': { image: 'ghcr.io/org/token-service:v1.2.3@sha256:1f0b6f2f4c1c4f0b8f7e7b0a6f0f8e4d' },
	'ordinary annotations': { metadata: { annotations: { 'deployment.kubernetes.io/revision': '3', note: 'rotate the secret: monthly' } } },
	'a secretKeyRef': { env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db-secret', key: 'password' } } }] },
	'a secretKeyRef in last applied': {
		metadata: {
			annotations: {
				[lastApplied]: JSON.stringify({ env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] }),
			},
		},
	},
	'volumes of secrets': {
		volumes: [{ secret: { secretName: 'db-password' } }, { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
	},
	'names of resources': {
		metadata: { name: 'token-cleaner', namespace: 'secrets' },
		rules: [{ resources: ['secrets', 'serviceaccounts/token'] }],
	},
	'a binding of an API group': { roleRef: { apiGroup: 'rbac.authorization.k8s.io', name: 'authorization.k8s.io', value: 'x' } },
	'a reference to a Secret': { secretRef: { kind: 'Secret', name: 'db', namespace: 'shop' } },
	'where a token lies': { env: [{ name: 'TOKEN_FILE', value: '/run/token' }], args: ['--token-file=/run/token', '--secret-name', 'db'] },
	'a variable put in at run time': { args: ['--token=$(TOKEN)', '--password', '${PASSWORD}'], password: '{{ .Values.password }}' },
	'a switch': { automountServiceAccountToken: false, spec: { token: true, password: null } },
	'a schema': { properties: { token: { type: 'string', description: 'The token. Required.' }, password: { type: 'string' } } },
	'a URL without a password': { url: 'https://user@example.org/a?token=', other: 'redis://db:6379/0' },
	'YAML without a secret': { data: { 'a.yaml': 'kind: Service\nmetadata:\n  name: token-service # a comment\nspec:   {}\n' } },
	'YAML with a secretKeyRef': {
		data: { 'a.yaml': 'env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef: {name: db, key: password}\n' },
	},
	'a template without a secret': {
		data: { 'a.yaml': '{{ if x }}\nkind: Deployment\nspec:\n  secretName: {{ .Values.secret }}\n{{ end }}' },
	},
	'a message': { message: 'MountVolume.SetUp failed for volume "token" : secret "db-token" not found' },
	'a checksum': { annotations: { 'checksum/secret': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' } },
	'data of a ConfigMap': { kind: 'ConfigMap', data: { 'log.level': 'debug', 'key.name': 'password' } },
	'managed fields of a Secret': { metadata: { managedFields: [{ fieldsV1: { 'f:data': { 'f:password': {}, 'f:token': {} } } }] } },
}

describe('redaction finds', () => {
	it.each(Object.keys(found))('%s', (name) => {
		const record = found[name]
		const bytes = record === undefined ? planted : appended(record)
		expect(bytes).not.toContain(planted)
		expect(bytes).not.toContain(base64.slice(0, 20))
		expect(bytes).not.toContain('83519274650183')
		// What is said twice is dropped, and not hashed.
		expect(/kubetape:hmac:[0-9a-f]{16}/.test(bytes) || name.includes('said twice')).toBe(true)
	})
})

describe('redaction keeps', () => {
	it.each(Object.keys(kept))('%s', (name) => {
		const record = change(kept[name])
		expect(redact(record).after?.text).toBe(record.after?.text)
		expect(redact(record).after).toBe(record.after)
	})

	it('numbers as they were written, beside what is hidden', () => {
		const record = changeOf(`{"big":9223372036854775807,"small":1.50,"password":"${planted}","kept":1e400}`)
		expect(redact(record).after?.text).toMatch(
			/^\{"big":9223372036854775807,"small":1\.50,"password":"kubetape:hmac:[0-9a-f]{16}","kept":1e400\}$/,
		)
		const clean = changeOf(`{"big":9223372036854775807,"small":1.50,"name":"a-secret"}`)
		expect(redact(clean).after).toBe(clean.after)
	})

	it('the bytes of a line that is no text: they go where the text is changed', () => {
		const bytes = (start: string): string => Buffer.from(`${start}\xff`, 'latin1').toString('base64')
		const line = (start: string): KubetapeRecord => aLogLine({ text: `${start}\ufffd`, raw: bytes(start), flags: ['invalid-utf8'] })
		expect(redact(line('plain'))).toEqual(line('plain'))
		const hidden = redact(line(`password=${planted} `)) as Partial<LogLine>
		expect([hidden.raw, hidden.flags, hidden.text?.startsWith('password=')]).toEqual([undefined, ['invalid-utf8'], true])
	})

	it('an encrypted value, of which nothing is known but its revision', () => {
		const record = aChange({ object: secretRef, encoding: 'encrypted', before: null, after: null, note: 'aescbc:v1' })
		expect(redact(record)).toBe(record)
	})
})

describe('one value has one hash', () => {
	const value = 'pässwort mit ümlaut'
	const hashIn = (record: KubetapeRecord): readonly string[] => [...new Set(appended(record).match(/kubetape:hmac:[0-9a-f]{16}/g))]
	const encoded = Buffer.from(value).toString('base64')
	const hash = hashIn(change({ kind: 'Secret', stringData: { a: value } }))

	it.each<[string, KubetapeRecord]>([
		['data', change({ kind: 'Secret', data: { a: encoded } })],
		['a variable', change(env('A_PASSWORD', value))],
		['a field', change({ password: value })],
		['YAML', text(`kind: Secret\nstringData:\n  a: "${value}"\n`)],
		['data in YAML', text(`kind: Secret\ndata:\n  a: ${encoded}\n`)],
		['a template', text(`{{ x }}\nkind: Secret\ndata:\n  a: ${encoded}\n`)],
		['last applied', change({ metadata: { annotations: { [lastApplied]: JSON.stringify({ kind: 'Secret', data: { a: encoded } }) } } })],
		['a patch', audit({ requestObject: [{ op: 'add', path: '/data/a', value: encoded }] })],
	])('in %s', (_, record) => {
		expect(hash).toHaveLength(1)
		expect(hashIn(record)).toEqual(hash)
	})
})
