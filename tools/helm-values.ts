// The schema of the Helm chart's values, with the program's own options inside it: deploy/helm/kubetape/values.schema.json (generated).
import { Type, type TSchema } from 'typebox'
import { configSchema } from '#cli/config.ts'
import { builtIn } from '#records/catalog-built-in.ts'

const closed = { additionalProperties: false } as const
const text = Type.String()
const name = Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' })
const nameOrNone = Type.String({ pattern: '^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$' })
const port = Type.Integer({ minimum: 1, maximum: 65_535 })
const absolutePath = Type.String({ pattern: '^/' })
const flag = Type.Boolean()
/** Of Kubernetes itself: the API server knows what is right in it. */
const mapping = Type.Object({})
const list = Type.Array(Type.Object({}))
const labels = Type.Record(Type.String(), Type.String())

type Node = { readonly [key: string]: unknown }
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A part of the configuration as an operator writes it: what has a default may be left out. */
function written(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(written)
	if (!isNode(value)) return value
	// Where `properties` is the keyword, its keys are options and no keywords.
	const properties = isNode(value['properties']) ? value['properties'] : undefined
	const needed = (Array.isArray(value['required']) ? (value['required'] as readonly string[]) : []).filter((key) => {
		const property = properties?.[key]
		return !(isNode(property) && 'default' in property)
	})
	const rest = Object.entries(value).filter(([key]) => !['required', 'form', 'default', 'properties'].includes(key) && !key.startsWith('~'))
	return {
		...Object.fromEntries(rest.map(([key, inner]) => [key, written(inner)])),
		...(properties ? { properties: Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, written(inner)])) } : {}),
		...(needed.length > 0 ? { required: needed } : {}),
	}
}

const asWritten = (schema: TSchema): TSchema => written(JSON.parse(JSON.stringify(schema))) as TSchema

const cluster = configSchema.properties.clusters.items.properties
const workload = {
	resources: Type.Optional(mapping),
	nodeSelector: Type.Optional(labels),
	tolerations: Type.Optional(list),
	affinity: Type.Optional(mapping),
	topologySpreadConstraints: Type.Optional(list),
	podAnnotations: Type.Optional(labels),
	podLabels: Type.Optional(labels),
	priorityClassName: Type.Optional(text),
}
const replicated = { ...workload, replicas: Type.Integer({ minimum: 1, maximum: 1000 }) }

const kubernetes = Type.Object(
	{ enabled: flag, secrets: flag, customResourceGroups: Type.Array(name), everything: flag, options: asWritten(cluster.kubernetes) },
	closed,
)
const webhook = Type.Object(
	{
		enabled: flag,
		port,
		tlsSecret: nameOrNone,
		clientCaSecret: nameOrNone,
		clientNames: Type.Array(Type.String({ minLength: 1 })),
		service: Type.Object(
			{
				type: Type.Union([Type.Literal('ClusterIP'), Type.Literal('NodePort'), Type.Literal('LoadBalancer')]),
				clusterIP: text,
				nodePort: Type.Integer({ minimum: 0, maximum: 65_535 }),
			},
			closed,
		),
		from: Type.Array(Type.String({ pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' })),
	},
	closed,
)
const pathOrNone = Type.String({ pattern: '^(/.*)?$' })
const sources = Type.Object(
	{
		kubernetes,
		webhook,
		etcd: Type.Object({ enabled: flag, options: asWritten(Type.Partial(cluster.etcd)), pkiDirectory: pathOrNone }, closed),
		audit: Type.Object({ enabled: flag, options: asWritten(cluster.audit), directory: absolutePath }, closed),
		logs: Type.Object({ enabled: flag, options: asWritten(cluster.logs) }, closed),
	},
	closed,
)
const proxy = Type.Object(
	{ enabled: flag, image: text, port, args: Type.Array(text), env: list, volumeMounts: list, resources: mapping },
	closed,
)
const image = Type.Object(
	{
		repository: Type.String({ minLength: 1 }),
		tag: text,
		digest: Type.String({ pattern: '^(sha256:[0-9a-f]{64})?$' }),
		pullPolicy: Type.Union([Type.Literal('Always'), Type.Literal('IfNotPresent'), Type.Literal('Never')]),
	},
	closed,
)

const values = Type.Object(
	{
		nameOverride: text,
		fullnameOverride: text,
		image,
		imagePullSecrets: list,
		cluster: Type.Object({ name: asWritten(cluster.name) }, closed),
		mode: Type.Union([Type.Literal('embedded'), Type.Literal('distributed')]),
		logLevel: asWritten(configSchema.properties.logLevel),
		log: asWritten(configSchema.properties.log),
		store: asWritten(configSchema.properties.store),
		env: list,
		volumes: list,
		volumeMounts: list,
		listenHost: Type.String({ minLength: 1 }),
		redaction: Type.Object({ existingSecret: nameOrNone }, closed),
		sources,
		hostStateDirectory: absolutePath,
		persistence: Type.Object(
			{
				size: Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$' }),
				storageClass: text,
				accessMode: Type.Union([Type.Literal('ReadWriteOnce'), Type.Literal('ReadWriteOncePod')]),
			},
			closed,
		),
		allInOne: Type.Object(workload, closed),
		collect: Type.Object(workload, closed),
		controlPlane: Type.Object({ ...workload, hostNetwork: flag, operationsPort: port }, closed),
		logs: Type.Object(workload, closed),
		process: Type.Object(replicated, closed),
		serve: Type.Object({ ...replicated, proxy }, closed),
		networkPolicy: Type.Object({ enabled: flag, metricsFrom: list, proxyFrom: list, egress: list }, closed),
		podDisruptionBudget: Type.Object({ enabled: flag }, closed),
		serviceMonitor: Type.Object({ enabled: flag, interval: Type.String({ pattern: '^[0-9]+(ms|s|m)$' }), labels }, closed),
		prometheusRule: Type.Object({ enabled: flag, labels }, closed),
		grafanaDashboard: Type.Object({ enabled: flag, labels }, closed),
		/** Helm's own, where the chart is a part of another. */
		global: Type.Optional(mapping),
	},
	closed,
)

const at = (path: readonly string[], schema: unknown): unknown =>
	path.toReversed().reduce<unknown>((inner, key) => ({ properties: { [key]: inner }, required: [key] }), schema)
const implication = 'if then'.split(' ')
const implies = (condition: unknown, consequence: unknown): unknown =>
	Object.fromEntries([condition, consequence].map((schema, index) => [implication[index], schema]))
const when = (path: readonly string[], value: unknown, consequence: unknown): unknown => implies(at(path, { const: value }), consequence)
const given = { minLength: 1 }

/** Engines that several processes on several machines share, by their names in the configuration. */
const shared = (schema: TSchema): readonly string[] =>
	Object.keys((schema as unknown as Node)['properties'] ?? {}).filter((key) => /^(kafka|elasticsearch)$/.test(key))

/** What one value asks of another. */
const rules = [
	// What is kept beside one Pod cannot be shared by several.
	when(['mode'], 'distributed', {
		allOf: (['log', 'store'] as const).map((part) => at([part], { required: shared(configSchema.properties[part]) })),
	}),
	// Collectors on nodes hand over to a record log that all of them reach.
	when(['mode'], 'embedded', { allOf: ['audit', 'logs'].map((source) => at(['sources', source, 'enabled'], { const: false })) }),
	implies(
		{ allOf: [at(['mode'], { const: 'embedded' }), at(['sources', 'etcd', 'enabled'], { const: true })] },
		at(['sources', 'etcd', 'options'], { required: ['endpoints'] }),
	),
	// Whoever reaches the webhook could invent audit entries: it knows API servers by their certificates.
	when(['sources', 'webhook', 'enabled'], true, {
		allOf: [at(['sources', 'webhook', 'tlsSecret'], given), at(['sources', 'webhook', 'clientCaSecret'], given)],
	}),
	when(['serve', 'proxy', 'enabled'], true, at(['serve', 'proxy', 'image'], given)),
]

export function helmValuesSchema(): unknown {
	return {
		$schema: 'http://json-schema.org/draft-07/schema#',
		title: 'Values of the chart kubetape',
		...(written(values) as object),
		allOf: rules,
	}
}

/** Rules of RBAC for all built-in kinds but Secrets: a line for each group. */
export function readableYaml(notice: string): string {
	const groups = Map.groupBy(
		builtIn.filter(({ resource, group }) => !(group === '' && resource === 'secrets')),
		({ group }) => group,
	)
	const lines = [...groups].map(
		([group, types]) => `- { apiGroups: ["${group}"], resources: [${types.map(({ resource }) => resource).join(', ')}] }`,
	)
	return `# Every built-in resource but Secrets. ${notice}\n${lines.join('\n')}\n`
}
