// Sends audit batches as API servers do, over as many connections as there are API servers; a batch that was not answered 200 is sent again.
// Arguments: port, connections, batches in all, entries in each, batches a second of each connection (0: as fast as answers come). Prints what came of it as JSON.
import { Agent, request } from 'node:http'
import { createRandom } from '#test/support/random.ts'

const [port = 0, connections = 3, batches = 0, entries = 400, rateHz = 0] = process.argv.slice(2).map(Number)
const random = createRandom(7)
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
const place = 'aaaaaaaa-0000-4000-8000-bbbbbbbbbbbb'

/** An entry of level Request of about 1.8 KB, as a controller's patch of a status makes it. */
function entry(): string {
	const name = `checkout-7d9c5b6f4-${Math.floor(random() * 1e6).toString(36)}`
	const namespace = pick(['shop', 'billing', 'search', 'kube-system'])
	const at = new Date(Date.UTC(2026, 10, 24, 10) + Math.floor(random() * 3.6e6)).toISOString().replace('Z', '123Z')
	const condition = (type: string): object => ({ type, status: pick(['True', 'False']), lastProbeTime: null, lastTransitionTime: at })
	return JSON.stringify({
		kind: 'Event',
		apiVersion: 'audit.k8s.io/v1',
		level: 'Request',
		auditID: place,
		stage: 'ResponseComplete',
		requestURI: `/api/v1/namespaces/${namespace}/pods/${name}/status`,
		verb: 'patch',
		user: { username: `system:node:node-${Math.floor(random() * 500)}`, groups: ['system:nodes', 'system:authenticated'] },
		sourceIPs: [`10.0.${Math.floor(random() * 250)}.7`],
		userAgent: 'kubelet/v1.36.1 (linux/amd64) kubernetes/0000000',
		objectRef: { resource: 'pods', namespace, name, apiVersion: 'v1', subresource: 'status' },
		responseStatus: { metadata: {}, code: 200 },
		requestObject: {
			metadata: { uid: `2f1e9a86-0000-4000-8000-${String(Math.floor(random() * 1e12)).padStart(12, '0')}` },
			status: {
				$setElementOrder: { conditions: [{ type: 'Initialized' }, { type: 'Ready' }, { type: 'ContainersReady' }] },
				conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
				containerStatuses: [
					{
						containerID: `containerd://${Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('')}`,
						image: `registry.example/shop/checkout:1.${Math.floor(random() * 40)}.2`,
						imageID: 'registry.example/shop/checkout@sha256:5f1c0cf9',
						lastState: {},
						name: 'web',
						ready: true,
						restartCount: Math.floor(random() * 9),
						started: true,
						state: { running: { startedAt: at } },
					},
				],
				phase: 'Running',
				podIP: `10.1.${Math.floor(random() * 250)}.9`,
			},
		},
		requestReceivedTimestamp: at,
		stageTimestamp: at,
		annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
	})
}

const template = Buffer.from(
	`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${Array.from({ length: entries }, entry).join(',')}]}`,
)
const places: number[] = []
for (let at = template.indexOf(place); at >= 0; at = template.indexOf(place, at + 1)) places.push(at)

function bodyOf(batch: number): Buffer {
	const body = Buffer.from(template)
	places.forEach((at, index) => {
		body.write(String(batch).padStart(8, '0'), at, 'latin1')
		body.write(String(index).padStart(12, '0'), at + 24, 'latin1')
	})
	return body
}

const agent = new Agent({ keepAlive: true, maxSockets: connections })
const statusOf = (body: Buffer): Promise<number> =>
	new Promise((resolve) => {
		const headers = { 'content-type': 'application/json', 'content-length': body.length }
		const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/audit/bench', headers }, (response) => {
			response.resume()
			response.on('end', () => resolve(response.statusCode ?? 0))
			response.on('error', () => resolve(0))
		})
		sent.on('error', () => resolve(0))
		sent.end(body)
	})

const taken: number[] = []
const acknowledged: number[] = []
let [next, refused] = [0, 0]
const begin = performance.now()

async function oneConnection(connection: number): Promise<void> {
	for (let turn = 0; next < batches; turn += 1) {
		const batch = next++
		// Whoever cannot keep up is late for all that follow: the delay counts from when the batch was due.
		const due = rateHz === 0 ? performance.now() : begin + ((turn + connection / connections) / rateHz) * 1000
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
		const body = bodyOf(batch)
		while ((await statusOf(body)) !== 200) {
			refused += 1
			await new Promise((resolve) => setTimeout(resolve, 20))
		}
		acknowledged.push(batch)
		taken.push(performance.now() - due)
	}
}
await Promise.all(Array.from({ length: connections }, (_, connection) => oneConnection(connection)))
agent.destroy()
const seconds = (performance.now() - begin) / 1000
console.log(JSON.stringify({ acknowledged, taken, refused, seconds, bytes: template.length }))
