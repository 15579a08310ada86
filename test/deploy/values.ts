// Values that the chart is rendered with: each shape that an operator may choose.

const webhook = { enabled: true, tlsSecret: 'webhook-tls', clientCaSecret: 'webhook-ca', clientNames: ['kube-apiserver'] }
const proxy = { enabled: true, image: 'registry.example/oauth2-proxy:7', args: ['--upstream=http://127.0.0.1:8480'] }

/** The record log and the store that roles apart share. */
export const engines = {
	log: {
		kafka: {
			brokers: ['kafka-0.kafka:9092', 'kafka-1.kafka:9092'],
			sasl: { mechanism: 'scram-sha-512', username: 'kubetape', passwordFile: '/kafka/password' },
		},
	},
	store: { elasticsearch: { url: 'https://elasticsearch.svc:9200', apiKey: '${ELASTIC_API_KEY}' } },
}

export const shapes: Readonly<Record<string, object>> = {
	'one Pod': { cluster: { name: 'prod' } },
	'one Pod, with webhook, proxy and a digest': {
		cluster: { name: 'prod' },
		image: { repository: 'registry.example/kubetape', digest: `sha256:${'0'.repeat(64)}` },
		sources: {
			webhook,
			kubernetes: { customResourceGroups: ['stable.example.com'], options: { exclude: ['leases.coordination.k8s.io'] } },
		},
		serve: { proxy },
	},
	'one Pod that reads etcd over the network': {
		cluster: { name: 'prod' },
		sources: { etcd: { enabled: true, options: { endpoints: ['https://etcd.example:2379'], caFile: '/pki/ca.crt' } } },
		volumes: [{ name: 'pki', secret: { secretName: 'etcd-client' } }],
		volumeMounts: [{ name: 'pki', mountPath: '/pki', readOnly: true }],
		store: { retention: { ageMs: 2_592_000_000 } },
	},
	'everything apart': {
		cluster: { name: 'prod' },
		mode: 'distributed',
		...engines,
		redaction: { existingSecret: 'our-key' },
		sources: {
			webhook: { ...webhook, from: ['10.0.0.0/24'], service: { type: 'NodePort', nodePort: 30_481 } },
			etcd: { enabled: true },
			audit: { enabled: true },
			logs: { enabled: true, options: { pods: { multiline: 'stack' }, files: [{ paths: ['/var/log/kube-apiserver.log'] }] } },
		},
		env: [{ name: 'ELASTIC_API_KEY', valueFrom: { secretKeyRef: { name: 'elasticsearch', key: 'api-key' } } }],
		process: { replicas: 4, nodeSelector: { pool: 'data' } },
		serve: { proxy },
		networkPolicy: { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }], proxyFrom: [{ podSelector: {} }] },
		serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
		prometheusRule: { enabled: true },
		grafanaDashboard: { enabled: true },
	},
	'apart, of logs only': {
		cluster: { name: 'prod' },
		mode: 'distributed',
		...engines,
		fullnameOverride: 'recorder',
		sources: { kubernetes: { enabled: false }, logs: { enabled: true } },
		process: { replicas: 1 },
		networkPolicy: { enabled: false },
		imagePullSecrets: [{ name: 'pull' }],
	},
}
