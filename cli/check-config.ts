// What a configuration is refused for beyond its schema: one place for check-config and for every start, so that they agree. None of it needs a network.
import { accessSync, constants } from 'node:fs'
import { delimiter } from 'node:path'
import { isInCluster, kubeconfigFiles, readKubeconfig } from '#collectors/kubernetes/kubeconfig.ts'
import { checkTimeForms } from '#collectors/logs/time-form.ts'
import { findRecording } from '#collectors/replay/recording.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { isSameAddress, refuseBeyondLoopback } from '#runtime/listen.ts'
import type { ClusterConfig, Config } from './config.ts'

const invalid = (message: string): KubetapeError => new KubetapeError('CONFIG_INVALID', message)

/** Throws CONFIG_INVALID where two listeners would take the same port of the same address. */
function refuseOnePort(listeners: Readonly<Record<string, { readonly host: string; readonly port: number } | undefined>>): void {
	const known = Object.entries(listeners).flatMap(([name, listener]) => (listener && listener.port !== 0 ? [{ name, ...listener }] : []))
	for (const [index, one] of known.entries())
		for (const other of known.slice(index + 1))
			if (one.port === other.port && isSameAddress(one.host, other.host))
				throw invalid(`${other.name}.port and ${one.name}.port are both ${one.port}: give one of them another`)
}

/** What concerns every role. Throws CONFIG_INVALID or RUNTIME_LISTEN_REFUSED. */
export function checkSettings({ clusters, log, server, operations, webhook, store }: Config): void {
	refuseBeyondLoopback(server.host)
	if (log.kafka) checkKafka(log.kafka)
	const names = clusters.map(({ name }) => name)
	const twice = names.find((name, index) => names.indexOf(name) !== index)
	if (twice !== undefined) throw invalid(`two clusters are named ${twice}: each has a name of its own`)
	refuseOnePort({ server, webhook, operations })
	checkStore(store)
	if (!webhook) return
	if ((webhook.certFile === undefined) !== (webhook.keyFile === undefined))
		throw invalid('webhook.certFile and webhook.keyFile go together')
	if (webhook.clientCaFile !== undefined && webhook.certFile === undefined)
		throw invalid('webhook.clientCaFile needs webhook.certFile and webhook.keyFile')
	if (webhook.clientNames !== undefined && webhook.clientCaFile === undefined)
		throw invalid('webhook.clientNames needs webhook.clientCaFile')
}

function checkKafka({ tls, replicationFactor, minInsyncReplicas }: NonNullable<Config['log']['kafka']>): void {
	if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined))
		throw invalid('log.kafka.tls.certFile and log.kafka.tls.keyFile go together')
	if (minInsyncReplicas > replicationFactor)
		throw invalid(
			`log.kafka.minInsyncReplicas is ${minInsyncReplicas}, more than log.kafka.replicationFactor, ${replicationFactor}: nothing could be appended`,
		)
}

function readable(what: string, files: Readonly<Record<string, string | undefined>>): void {
	for (const [key, path] of Object.entries(files)) {
		if (path === undefined) continue
		try {
			accessSync(path, constants.R_OK)
		} catch (error) {
			throw new KubetapeError('CONFIG_UNREADABLE', `${what}.${key}: ${messageOf(error)}`, { cause: error })
		}
	}
}

function checkStore({ elasticsearch }: Config['store']): void {
	if (!elasticsearch) return
	const { apiKey, apiKeyFile, username, password, passwordFile, caFile, url } = elasticsearch
	const what = 'store.elasticsearch'
	const byKey = apiKey !== undefined || apiKeyFile !== undefined
	if (byKey && username !== undefined) throw invalid(`${what}: an API key or a user, not both: remove ${what}.username or the key`)
	if (apiKey !== undefined && apiKeyFile !== undefined)
		throw invalid(`${what}.apiKey and ${what}.apiKeyFile are the same: give one of them`)
	if (password !== undefined && passwordFile !== undefined)
		throw invalid(`${what}.password and ${what}.passwordFile are the same: give one of them`)
	const hasPassword = password !== undefined || passwordFile !== undefined
	if (hasPassword !== (username !== undefined)) throw invalid(`${what}.username and a password go together`)
	if (caFile !== undefined && !url.startsWith('https://')) throw invalid(`${what}.caFile needs an https:// address in ${what}.url`)
	readable(what, { apiKeyFile, passwordFile, caFile })
}

function checkEtcd(what: string, { caFile, certFile, keyFile, passwordFile }: NonNullable<ClusterConfig['etcd']>): void {
	if (certFile !== undefined && caFile === undefined) throw invalid(`${what}.certFile needs etcd.caFile beside it`)
	if ((certFile === undefined) !== (keyFile === undefined)) throw invalid(`${what}.certFile and etcd.keyFile go together`)
	readable(what, { caFile, certFile, keyFile, passwordFile })
}

function checkCounters(what: string, { servers }: NonNullable<ClusterConfig['auditCounters']>): void {
	if (servers.filter(({ file }) => file).length > 1) throw invalid(`${what}.servers: one API server only writes the file of audit`)
	for (const { kubeconfig, context } of servers)
		if (kubeconfig !== undefined) readKubeconfig(kubeconfigFiles(kubeconfig, process.env, `${what}.servers.kubeconfig`), context)
}

async function checkCluster(cluster: ClusterConfig): Promise<ClusterConfig> {
	const { name, auditCounters, etcd, kubernetes, logs, replay } = cluster
	if (etcd) checkEtcd(`${name}: etcd`, etcd)
	if (auditCounters) checkCounters(`${name}: auditCounters`, auditCounters)
	if (logs) checkTimeForms(logs)
	if (replay) await findRecording(replay.path)
	if (!kubernetes || (kubernetes.kubeconfig === undefined && isInCluster())) return cluster
	const files = kubeconfigFiles(kubernetes.kubeconfig, process.env, `${name}: kubernetes.kubeconfig`)
	// Without any file it is the service account of a pod: that is where the program will run.
	if (files.length === 0) return cluster
	readKubeconfig(files, kubernetes.context)
	return { ...cluster, kubernetes: { ...kubernetes, kubeconfig: files.join(delimiter) } }
}

/**
 * What concerns the role that records: whether its sources can be read, as far as this machine knows. Gives the configuration with the kubeconfigs that are there.
 * Throws CONFIG_INVALID, CONFIG_UNREADABLE or RECORDING_INVALID.
 */
export async function checkSources(config: Config): Promise<Config> {
	if (config.redaction) readable('redaction', config.redaction)
	if (config.log.kafka) {
		const { tls, sasl } = config.log.kafka
		readable('log.kafka', {
			'tls.caFile': tls?.caFile,
			'tls.certFile': tls?.certFile,
			'tls.keyFile': tls?.keyFile,
			'sasl.passwordFile': sasl?.passwordFile,
		})
	}
	if (config.webhook) {
		const { certFile, keyFile, clientCaFile } = config.webhook
		readable('webhook', { certFile, keyFile, clientCaFile })
	}
	const clusters: ClusterConfig[] = []
	for (const cluster of config.clusters) clusters.push(await checkCluster(cluster))
	return { ...config, clusters }
}
