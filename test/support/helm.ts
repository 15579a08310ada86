// The chart, rendered by the real helm, as objects.
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments, stringify } from 'yaml'
import { serversDir } from './cluster.ts'

const run = promisify(execFile)
export const chart = resolve('deploy/helm/kubetape')
const outputBytesMax = 64 * 1024 * 1024

export interface Container {
	readonly name: string
	readonly image: string
	readonly args: readonly string[]
	readonly env: readonly { readonly name: string }[]
	readonly securityContext: Readonly<Record<string, unknown>>
	readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
	readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
	readonly [field: string]: unknown
}

export interface PodSpec {
	readonly containers: readonly Container[]
	readonly volumes: readonly { readonly name: string; readonly [source: string]: unknown }[]
	readonly serviceAccountName: string
	readonly [field: string]: unknown
}

export interface Manifest {
	readonly apiVersion: string
	readonly kind: string
	readonly metadata: {
		readonly name: string
		readonly namespace?: string
		readonly labels: Readonly<Record<string, string>>
		readonly annotations?: Readonly<Record<string, string>>
	}
	readonly data?: Readonly<Record<string, string>>
	readonly rules?: readonly {
		readonly apiGroups: readonly string[]
		readonly resources: readonly string[]
		readonly verbs: readonly string[]
	}[]
	readonly spec?: {
		readonly replicas?: number
		readonly template?: { readonly metadata: Manifest['metadata']; readonly spec: PodSpec }
		readonly [field: string]: unknown
	}
}

/** `helm template`; rejects with what helm says against the values. */
export async function render(values: object, release = 'tape', namespace = 'observe'): Promise<readonly Manifest[]> {
	const child = run(join(serversDir, 'helm'), ['template', release, chart, '--namespace', namespace, '--values', '-'], {
		maxBuffer: outputBytesMax,
	})
	child.child.stdin?.end(stringify(values))
	const { stdout } = await child
	return parseAllDocuments(stdout).flatMap((document) => {
		if (document.errors.length > 0) throw document.errors[0] ?? new Error('no YAML')
		const manifest = document.toJS() as Manifest | null
		return manifest ? [manifest] : []
	})
}

export const named = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
	const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)
	if (!found)
		throw new Error(`no ${kind} ${name} among ${manifests.map((manifest) => `${manifest.kind} ${manifest.metadata.name}`).join(', ')}`)
	return found
}

/** Those that have Pods, with the Pod's spec. */
export function workloads(manifests: readonly Manifest[]): readonly { readonly manifest: Manifest; readonly pod: PodSpec }[] {
	return manifests.flatMap((manifest) => (manifest.spec?.template ? [{ manifest, pod: manifest.spec.template.spec }] : []))
}
