// What people call a kind: its kind, its resource, kubectl's short names, each with or without group (and version).
import { resourceName } from './object-key.ts'

export interface KindName {
	readonly resource: string
	readonly group: string
	/** Empty where only requests for the resource were seen. */
	readonly kind: string
}

/** By full resource name, as the API server's discovery tells kubectl (kubernetes: ShortNames() in pkg/registry/…/storage). */
const shortNames: Readonly<Record<string, readonly string[]>> = {
	componentstatuses: ['cs'],
	configmaps: ['cm'],
	endpoints: ['ep'],
	events: ['ev'],
	'events.events.k8s.io': ['ev'],
	limitranges: ['limits'],
	namespaces: ['ns'],
	nodes: ['no'],
	persistentvolumeclaims: ['pvc'],
	persistentvolumes: ['pv'],
	pods: ['po'],
	replicationcontrollers: ['rc'],
	resourcequotas: ['quota'],
	serviceaccounts: ['sa'],
	services: ['svc'],
	'customresourcedefinitions.apiextensions.k8s.io': ['crd', 'crds'],
	'daemonsets.apps': ['ds'],
	'deployments.apps': ['deploy'],
	'replicasets.apps': ['rs'],
	'statefulsets.apps': ['sts'],
	'horizontalpodautoscalers.autoscaling': ['hpa'],
	'cronjobs.batch': ['cj'],
	'certificatesigningrequests.certificates.k8s.io': ['csr'],
	'ingresses.networking.k8s.io': ['ing'],
	'ipaddresses.networking.k8s.io': ['ip'],
	'networkpolicies.networking.k8s.io': ['netpol'],
	'poddisruptionbudgets.policy': ['pdb'],
	'priorityclasses.scheduling.k8s.io': ['pc'],
	'storageclasses.storage.k8s.io': ['sc'],
	'volumeattributesclasses.storage.k8s.io': ['vac'],
}

const virtual = (group: string, kind: string): KindName => ({ resource: `${kind.toLowerCase()}s`, group, kind })

/** Kinds that are asked for and never stored: only audit entries are about them. */
export const virtualKinds: readonly KindName[] = [
	virtual('', 'Binding'),
	virtual('authentication.k8s.io', 'SelfSubjectReview'),
	virtual('authentication.k8s.io', 'TokenReview'),
	virtual('authorization.k8s.io', 'LocalSubjectAccessReview'),
	virtual('authorization.k8s.io', 'SelfSubjectAccessReview'),
	virtual('authorization.k8s.io', 'SelfSubjectRulesReview'),
	virtual('authorization.k8s.io', 'SubjectAccessReview'),
]

/** The words for a type without its group, in lower case. */
function wordsFor(type: KindName): readonly string[] {
	return [type.resource, ...(type.kind === '' ? [] : [type.kind.toLowerCase()]), ...(shortNames[resourceName(type)] ?? [])]
}

/** kubectl's `deployments.v1.apps` is `deployments.apps`, and `pods.v1` is `pods`. */
const withoutVersion = (word: string): string => word.replace(/^([^.]+)\.v\d+(?:(?:alpha|beta)\d+)?(?=\.|$)/, '$1')

/** Those of `types` that the word names; a full name names one. Case does not matter. */
export function kindsNamed(word: string, all: readonly KindName[]): readonly KindName[] {
	const lower = word.toLowerCase()
	const candidates = new Set([lower, withoutVersion(lower)])
	const named = all.filter((type) => wordsFor(type).some((each) => candidates.has(type.group === '' ? each : `${each}.${type.group}`)))
	const bare = all.filter((type) => wordsFor(type).some((each) => candidates.has(each)))
	// In the core group the full name is the bare one, which others may have as well.
	const found = lower.includes('.') && named.length > 0 ? named : [...new Set([...named, ...bare])]
	const types = new Map<string, KindName>()
	for (const type of found) {
		const known = types.get(resourceName(type))
		if (!known || known.kind === '') types.set(resourceName(type), type)
	}
	return [...types.values()]
}

/** Every word that names one of them, for saying what was probably meant. */
export function kindWords(types: readonly KindName[]): readonly string[] {
	return [...new Set(types.flatMap((type) => [...(type.kind === '' ? [] : [type.kind]), ...wordsFor(type), resourceName(type)]))]
}
