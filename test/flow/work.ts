// An hour of people's work on a cluster, in minutes: chapters that are played one after another, with kubectl and with clients of the API, by several users.
import { readFileSync } from 'node:fs'
import { openApi, type Api } from '#test/support/api.ts'
import type { Cluster } from '#test/support/cluster.ts'
import type { Witness } from '#test/support/witness.ts'

export type User = 'admin' | 'alice' | 'bob' | 'ci-deployer'

export interface Tools extends Disposable {
	readonly kubectl: (user: User, command: string, input?: string) => Promise<string>
	/** One that must be refused. */
	readonly refused: (user: User, command: string) => Promise<void>
	readonly established: Cluster['established']
	readonly api: Readonly<Record<User, Api>>
	/** Told of the custom resources as they come. */
	readonly witness: Pick<Witness, 'follow'>
}

export type Chapter = (tools: Tools) => Promise<void>

/** Custom resources whose definitions are deleted during the work. */
export const passing: ReadonlySet<string> = new Set(['tapes.example.com', 'reels.example.org'])

const manifest = (name: string): string => readFileSync(new URL(`work/${name}.yaml`, import.meta.url), 'utf8')
const merge = 'application/merge-patch+json'
const jsonPatch = 'application/json-patch+json'
const strategic = 'application/strategic-merge-patch+json'
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))

export function openTools(cluster: Cluster, witness: Pick<Witness, 'follow'>): Tools {
	const api = {
		admin: openApi(cluster),
		alice: openApi(cluster, 'alice'),
		bob: openApi(cluster, 'bob'),
		'ci-deployer': openApi(cluster, 'ci-deployer'),
	}
	const kubectl: Tools['kubectl'] = (user, command, input) =>
		cluster.kubectl(command.split(' '), { user, ...(input === undefined ? {} : { input }) })
	return {
		kubectl,
		refused: async (user, command) => {
			const answer = await kubectl(user, command).catch((error: unknown) => String(error))
			if (!/forbidden/i.test(answer)) throw new Error(`not refused: ${user}: kubectl ${command}`)
		},
		established: cluster.established.bind(cluster),
		api,
		witness,
		[Symbol.dispose]: () => {
			for (const each of Object.values(api)) each[Symbol.dispose]()
		},
	}
}

const settingIn: Chapter = async ({ kubectl, refused }) => {
	await kubectl('admin', 'apply -f -', manifest('base'))
	await kubectl('alice', 'apply -f -', manifest('apps'))
	await refused('bob', 'create clusterrolebinding bob-admin --clusterrole cluster-admin --user bob')
	await kubectl('bob', '-n shop patch configmap settings --dry-run=server -p {"data":{"ratio":"9"}}')
	await kubectl('admin', '-n shop wait --for condition=Available deployment --all --timeout 90s')
}

const releasing: Chapter = async ({ kubectl, api }) => {
	const web = '/apis/apps/v1/namespaces/shop/deployments/web'
	await kubectl('ci-deployer', '-n shop set image deployment/web web=registry.example/web:1.5')
	await kubectl('ci-deployer', '-n shop annotate deployment/web kubernetes.io/change-cause=release-1.5')
	await kubectl('bob', '-n shop scale deployment/web --replicas 5')
	await api['ci-deployer'].json(
		'PATCH',
		web,
		{ spec: { template: { spec: { containers: [{ name: 'web', image: 'registry.example/web:crash' }] } } } },
		strategic,
	)
	await kubectl('ci-deployer', '-n shop rollout undo deployment/web')
	await kubectl('ci-deployer', '-n shop rollout restart deployment/api')
	await api.bob.json(
		'PATCH',
		web,
		[
			{ op: 'replace', path: '/spec/replicas', value: 2 },
			{ op: 'add', path: '/metadata/labels', value: { tier: 'front' } },
		],
		jsonPatch,
	)
	const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', labels: { owner: 'bob' } }, spec: { replicas: 3 } }
	await api.bob.json('PATCH', `${web}?fieldManager=bobs-script&force=true`, applied, 'application/apply-patch+yaml')
	await api.bob.json(
		'PATCH',
		`${web}?fieldManager=bobs-script&force=true`,
		{ ...applied, metadata: { name: 'web' } },
		'application/apply-patch+yaml',
	)
	await kubectl('alice', '-n shop autoscale deployment web --min 2 --max 4 --cpu 80%')
	await kubectl('ci-deployer', '-n shop rollout status deployment/web --timeout 90s')
}

const laboring: Chapter = async ({ kubectl, api }) => {
	await kubectl('alice', 'apply -f -', manifest('lab'))
	await kubectl('alice', '-n lab create job by-hand --from=cronjob/hourly')
	await kubectl('alice', '-n lab run lonely --image registry.example/tool:1')
	const configmaps = '/api/v1/namespaces/lab/configmaps'
	await Promise.all(
		times(60, (index) =>
			api.alice.json('POST', configmaps, {
				metadata: { name: `item-${index}`, labels: { batch: index % 2 === 0 ? 'even' : 'odd' } },
				data: { index: String(index), text: `<${index}> & "${'x'.repeat(index)}"\u2028` },
			}),
		),
	)
	await Promise.all(
		times(60, (index) => api.alice.json('PATCH', `${configmaps}/item-${index}`, { data: { index: null, again: `${index}` } }, merge)),
	)
	await api.alice.json('DELETE', `${configmaps}?labelSelector=batch%3Deven`)
	await kubectl('alice', '-n lab delete configmap -l batch=odd --wait=false')
	await kubectl('admin', '-n lab wait --for condition=Complete job/sum --timeout 90s')
}

const defining: Chapter = async ({ kubectl, api, witness, established }) => {
	await kubectl('alice', 'apply --server-side -f -', manifest('definitions'))
	await established('tapes.example.com', 'reels.example.org')
	await witness.follow('example.com', 'v1', 'tapes')
	// At its stored version: that is how etcd has it.
	await witness.follow('example.org', 'v1beta1', 'reels')
	const tapes = '/apis/example.com/v1/namespaces/shop/tapes'
	const texts = [
		'{"whole":9007199254740993,"float":1.50,"small":1e-7,"big":1e21}',
		'{"text":"<a> & ü 😀","list":[1,2.5,null,true,{}],"empty":{}}',
	]
	for (const [index, spec] of texts.entries())
		await api.alice.json(
			'POST',
			tapes,
			`{"apiVersion":"example.com/v1","kind":"Tape","metadata":{"name":"tape-${index}","finalizers":["example.com/rewind"]},"spec":${spec}}`,
		)
	await Promise.all(
		times(30, (index) =>
			api.alice.json('POST', tapes, { apiVersion: 'example.com/v1', kind: 'Tape', metadata: { name: `short-${index}` }, spec: { index } }),
		),
	)
	for (let turn = 0; turn < 20; turn += 1) await api.alice.json('PATCH', `${tapes}/tape-1`, { spec: { turn } }, merge)
	await api.alice.json('PATCH', `${tapes}/tape-0/status`, { status: { phase: 'playing', at: 0.1 } }, merge)
	await api.alice.json('POST', '/apis/example.org/v1/reels', {
		apiVersion: 'example.org/v1',
		kind: 'Reel',
		metadata: { name: 'newer' },
		a: 1,
	})
	await api.alice.json('POST', '/apis/example.org/v1beta1/reels', {
		apiVersion: 'example.org/v1beta1',
		kind: 'Reel',
		metadata: { name: 'older' },
		b: [2],
	})
	await api.alice.json('PATCH', '/apis/example.org/v1/reels/older', { b: [3] }, merge)
	await kubectl('alice', '-n shop delete tape tape-0 --wait=false')
	await api.alice.json('PATCH', `${tapes}/tape-0`, { metadata: { finalizers: null } }, merge)
	await api.alice.json('DELETE', '/apis/example.org/v1/reels/newer')
}

const maintaining: Chapter = async ({ kubectl, api }) => {
	await kubectl('alice', 'cordon node-a')
	await kubectl('alice', 'drain node-a --ignore-daemonsets --force --delete-emptydir-data --timeout=60s')
	await kubectl('alice', 'taint node node-b maintenance=soon:PreferNoSchedule')
	await kubectl('alice', 'label node node-b rack=7')
	await kubectl('alice', 'taint node node-b maintenance-')
	await kubectl('alice', 'uncordon node-a')
	const pods = (await api.alice.json('GET', '/api/v1/namespaces/shop/pods?labelSelector=app%3Dapi')) as unknown as {
		readonly items: readonly { readonly metadata: { readonly name: string } }[]
	}
	const name = pods.items.at(-1)?.metadata.name ?? ''
	await kubectl('alice', `-n shop debug ${name} --image registry.example/tools:1 --attach=false -q`)
	await api.alice.json('POST', `/api/v1/namespaces/shop/pods/${name}/eviction`, {
		apiVersion: 'policy/v1',
		kind: 'Eviction',
		metadata: { name, namespace: 'shop' },
	})
	await kubectl('alice', '-n shop scale statefulset/db --replicas 1')
	await kubectl('alice', '-n shop create token robot --duration 10m')
	await kubectl('alice', '-n shop set image daemonset/agent agent=registry.example/agent:2')
}

const editing: Chapter = async ({ kubectl, api }) => {
	const settings = '/api/v1/namespaces/shop/configmaps/settings'
	const secret = '/api/v1/namespaces/shop/secrets/database'
	for (let turn = 0; turn < 100; turn += 1) {
		await api.bob.json('PATCH', settings, { data: { turn: String(turn) } }, merge)
		if (turn % 10 === 0) await api.bob.json('PATCH', secret, { stringData: { password: `do-not-keep-${turn}` } }, merge)
	}
	// Nothing in it is new: no revision.
	await api.bob.json('PATCH', settings, { data: { turn: '99' } }, merge)
	const held = { metadata: { name: 'held', finalizers: ['example.com/hold'] }, data: { password: 'do-not-keep-this-3' } }
	await api.bob.json('POST', '/api/v1/namespaces/shop/configmaps', held)
	await kubectl('bob', '-n shop delete configmap held --wait=false')
	await api.bob.json('PATCH', '/api/v1/namespaces/shop/configmaps/held', { metadata: { annotations: { still: 'here' } } }, merge)
	await api.bob.json('PATCH', '/api/v1/namespaces/shop/configmaps/held', [{ op: 'remove', path: '/metadata/finalizers' }], jsonPatch)
	await kubectl('bob', '-n shop create secret generic passing --from-literal=token=do-not-keep-this-4')
	await kubectl('bob', '-n shop delete secret passing')
	await api.bob.json('PUT', '/api/v1/namespaces/shop/services/outside', {
		metadata: { name: 'outside' },
		spec: { ports: [{ name: 'sql', port: 5433 }] },
	})
}

const tidyingUp: Chapter = async ({ kubectl, api }) => {
	await kubectl('alice', 'delete crd tapes.example.com reels.example.org --wait=false')
	// What its finalizer holds, the definition waits for.
	await api.alice.json('PATCH', '/apis/example.com/v1/namespaces/shop/tapes/tape-1', { metadata: { finalizers: null } }, merge)
	await kubectl('alice', 'wait --for=delete crd/tapes.example.com crd/reels.example.org --timeout=60s')
	await kubectl('alice', 'delete namespace lab --timeout=90s')
	await kubectl('alice', '-n shop delete deployment,statefulset,hpa,ingress,pdb --all --wait=false')
	await kubectl('alice', 'delete pv disk-1 --wait=false')
	await kubectl('alice', '-n shop create configmap after --from-literal=a=b')
}

/** Another shop, so that there is something to do while something is being broken. */
export function overtime(name: string): Chapter {
	return async ({ kubectl, api }) => {
		await kubectl('alice', `create namespace ${name}`)
		await kubectl('alice', `-n ${name} create deployment extra --image registry.example/extra:1 --replicas 3`)
		const configmaps = `/api/v1/namespaces/${name}/configmaps`
		for (let turn = 0; turn < 10; turn += 1) {
			await api.alice.json('POST', configmaps, { metadata: { name: `kept-${turn}` }, data: { turn: '0' } })
			await api.alice.json('PATCH', `${configmaps}/kept-${turn}`, { data: { turn: '1' } }, merge)
			await api.alice.json('POST', configmaps, { metadata: { name: `short-lived-${turn}` } })
			await api.alice.json('DELETE', `${configmaps}/short-lived-${turn}`)
		}
		await kubectl('alice', `-n ${name} rollout status deployment/extra --timeout 90s`)
		await kubectl('alice', `-n ${name} scale deployment/extra --replicas 1`)
	}
}

export const chapters = { settingIn, releasing, laboring, defining, maintaining, editing, tidyingUp }
