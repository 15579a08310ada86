// Options of the Kubernetes collector.
import { Type, type Static } from 'typebox'

const resourcePattern = '^(\\*|[a-z0-9-]+)(\\.[a-z0-9.-]+)?$'

export const kubernetesConfig = Type.Object(
	{
		kubeconfig: Type.Optional(
			Type.String({
				minLength: 1,
				description:
					'Kubeconfig file, or several joined by colons: those that exist are merged as kubectl does. Without it: the pod’s service account where there is one, else KUBECONFIG, else ~/.kube/config.',
			}),
		),
		context: Type.Optional(Type.String({ minLength: 1, description: 'Context of the kubeconfig; its current one if left out.' })),
		include: Type.Array(Type.String({ pattern: resourcePattern }), {
			default: [],
			description:
				'Resources to record, as `pods`, `deployments.apps` or `*.example.com`. Empty is every one that can be listed and watched.',
		}),
		exclude: Type.Array(Type.String({ pattern: resourcePattern }), {
			default: [],
			description: 'Resources left out, in the same form. Secrets are left out as well where the cluster is recorded from its etcd too.',
		}),
		pageItems: Type.Integer({
			default: 500,
			minimum: 1,
			maximum: 10_000,
			description: 'Objects of one page, where a list is read in pages.',
		}),
		streamLists: Type.Boolean({
			default: true,
			description: 'Read lists as streams where the API server can (Kubernetes 1.34 and later); in pages otherwise.',
		}),
		watchSilenceMs: Type.Integer({
			default: 90_000,
			minimum: 100,
			maximum: 3_600_000,
			description:
				'A watch that has given neither an event nor a bookmark for so long is broken and opened anew. API servers send a bookmark about every minute.',
		}),
		discoveryMs: Type.Integer({
			default: 180_000,
			minimum: 100,
			maximum: 3_600_000,
			description: 'Resources are looked up anew so often, besides whenever a definition changes.',
		}),
		deniedRetryMs: Type.Integer({
			default: 300_000,
			minimum: 100,
			maximum: 86_400_000,
			description: 'A resource that may not be read is tried again after so long.',
		}),
		retryMaxMs: Type.Integer({
			default: 15_000,
			minimum: 10,
			maximum: 600_000,
			description: 'Longest wait between two tries after a failure.',
		}),
	},
	{
		additionalProperties: false,
		description: 'The API server of the cluster: every version of every object that it shows, without access to etcd.',
	},
)

export type KubernetesConfig = Static<typeof kubernetesConfig>
