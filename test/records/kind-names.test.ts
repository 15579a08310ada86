// What people call a kind.
import { describe, expect, it } from 'vitest'
import { builtIn } from '#records/catalog-built-in.ts'
import { kindsNamed, kindWords, virtualKinds } from '#records/kind-names.ts'
import { resourceName } from '#records/object-key.ts'

const custom = { resource: 'backends', group: 'shop.example.com', kind: 'Backend' }
const twin = { resource: 'deployments', group: 'other.example.com', kind: 'Deployment' }
const metrics = { resource: 'pods', group: 'metrics.k8s.io', kind: '' }
const named = (word: string, extra: readonly (typeof custom)[] = []): readonly string[] =>
	kindsNamed(word, [...builtIn, ...virtualKinds, ...extra]).map(resourceName)

describe('kindsNamed', () => {
	it.each([
		['cs', 'componentstatuses'],
		['cm', 'configmaps'],
		['ep', 'endpoints'],
		['limits', 'limitranges'],
		['ns', 'namespaces'],
		['no', 'nodes'],
		['pvc', 'persistentvolumeclaims'],
		['pv', 'persistentvolumes'],
		['po', 'pods'],
		['rc', 'replicationcontrollers'],
		['quota', 'resourcequotas'],
		['sa', 'serviceaccounts'],
		['svc', 'services'],
		['crd', 'customresourcedefinitions.apiextensions.k8s.io'],
		['crds', 'customresourcedefinitions.apiextensions.k8s.io'],
		['ds', 'daemonsets.apps'],
		['deploy', 'deployments.apps'],
		['rs', 'replicasets.apps'],
		['sts', 'statefulsets.apps'],
		['hpa', 'horizontalpodautoscalers.autoscaling'],
		['cj', 'cronjobs.batch'],
		['csr', 'certificatesigningrequests.certificates.k8s.io'],
		['ing', 'ingresses.networking.k8s.io'],
		['ip', 'ipaddresses.networking.k8s.io'],
		['netpol', 'networkpolicies.networking.k8s.io'],
		['pdb', 'poddisruptionbudgets.policy'],
		['pc', 'priorityclasses.scheduling.k8s.io'],
		['sc', 'storageclasses.storage.k8s.io'],
		['vac', 'volumeattributesclasses.storage.k8s.io'],
		['Deployment', 'deployments.apps'],
		['DEPLOYMENTS', 'deployments.apps'],
		['Deployment.apps', 'deployments.apps'],
		['deployments.apps', 'deployments.apps'],
		['deploy.apps', 'deployments.apps'],
		['deployments.v1.apps', 'deployments.apps'],
		['Deployment.v1.apps', 'deployments.apps'],
		['pods.v1', 'pods'],
		['Pod', 'pods'],
		['TokenReview', 'tokenreviews.authentication.k8s.io'],
	])('%s', (word, resource) => expect(named(word)).toEqual([resource]))

	it('knows custom kinds, with their group, by kind and by resource', () => {
		for (const word of ['Backend', 'backends', 'backends.shop.example.com', 'Backend.shop.example.com', 'Backend.v1beta1.shop.example.com'])
			expect(named(word, [custom]), word).toEqual(['backends.shop.example.com'])
		expect(named('Backend.other.example.com', [custom])).toEqual([])
	})

	it('names all that share a word, and one by its full name', () => {
		expect(named('Deployment', [twin])).toEqual(['deployments.apps', 'deployments.other.example.com'])
		expect(named('deployments.other.example.com', [twin])).toEqual(['deployments.other.example.com'])
		expect(named('pods', [metrics])).toEqual(['pods', 'pods.metrics.k8s.io'])
		expect(named('Pod', [metrics])).toEqual(['pods'])
		expect(kindsNamed('deployments', [{ ...twin, kind: '' }, twin])).toEqual([twin])
	})

	it('names nothing by what is no name', () => {
		for (const word of ['', '.', 'pods.', '.apps', 'deploymnets', 'v1', 'constructor', 'deployments.batch'])
			expect(named(word), word).toEqual([])
	})
})

it('every short name is of a kind that there is', () => {
	const words = kindWords(builtIn)
	expect(words).toContain('deploy')
	expect(words).toContain('Deployment')
	expect(new Set(words).size).toBe(words.length)
})
