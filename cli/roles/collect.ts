// Role collect: every configured source of every cluster, redacted, into the record log.
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { createRedactor } from '#processors/redact/step.ts'
import type { ClusterConfig } from '#cli/config.ts'
import { aborted } from '#runtime/lifecycle.ts'
import { messageOf } from '#runtime/errors.ts'
import { keepChecking, logCheck } from './checks.ts'
import { openLog } from './engines.ts'
import { createEmit } from './emit.ts'
import { redactionKey } from './redaction.ts'
import { paths, type Role, type RoleContext } from './context.ts'

/** Loads the collectors that are configured, and with them their clients; no others. */
async function collectorsOf(cluster: ClusterConfig, context: RoleContext): Promise<readonly Collector[]> {
	const contextOf = (collector: string): CollectorContext => ({
		cluster: cluster.name,
		clock: context.clock,
		log: context.logger.child({ cluster: cluster.name, collector }),
		metrics: context.metrics,
		stateDir: paths.collectorState(context.config, cluster.name, collector),
	})
	const collectors: Collector[] = []
	if (cluster.etcd) collectors.push((await import('#collectors/etcd/collector.ts')).createEtcdCollector(cluster.etcd, contextOf('etcd')))
	if (cluster.kubernetes) {
		// Both would give a version under one id, and the API's, first by chance, is without the hashes of the values.
		const exclude = cluster.etcd ? [...cluster.kubernetes.exclude, 'secrets'] : cluster.kubernetes.exclude
		const { createKubernetesCollector } = await import('#collectors/kubernetes/collector.ts')
		collectors.push(createKubernetesCollector({ ...cluster.kubernetes, exclude }, contextOf('kubernetes')))
	}
	if (cluster.audit)
		collectors.push((await import('#collectors/audit/collector.ts')).createAuditFileCollector(cluster.audit, contextOf('audit')))
	if (cluster.logs?.journald) {
		const { createJournaldCollector } = await import('#collectors/logs/journal/collector.ts')
		collectors.push(createJournaldCollector(cluster.logs, cluster.logs.journald, contextOf('journald')))
	}
	if (cluster.logs) collectors.push((await import('#collectors/logs/collector.ts')).createLogsCollector(cluster.logs, contextOf('logs')))
	if (cluster.replay)
		collectors.push((await import('#collectors/replay/collector.ts')).createReplayCollector(cluster.replay, contextOf('replay')))
	return collectors
}

export const collect: Role = async (context, signal) => {
	const { redact } = createRedactor({ key: await redactionKey(context.config) })
	await using log = await openLog(context)
	const stop = new AbortController()
	const both = AbortSignal.any([signal, stop.signal])
	let isPaused = false
	const paused = context.metrics.gauge('kubetape_collect_paused', '1 while the record log cannot take records')
	paused.set(0)
	const onPause = (reason: string | null): void => {
		isPaused = reason !== null
		paused.set(isPaused ? 1 : 0)
		context.report(!isPaused, reason === null ? 'recording' : `paused: ${reason}`)
	}
	const emitFor = (): ReturnType<typeof createEmit> =>
		createEmit({ log, redact, clock: context.clock, logger: context.logger, metrics: context.metrics, onPause }, both)

	// Loaded before the first one runs: one that fails at once must find its failure waited for.
	const sources = await Promise.all(
		context.config.clusters.map(async (cluster) => ({ cluster, collectors: await collectorsOf(cluster, context) })),
	)
	const webhook = await webhookOf(context, () => isPaused)
	const running = sources.flatMap(({ cluster, collectors }) =>
		collectors.map((collector) => runToEnd(collector, cluster, context, emitFor(), both)),
	)
	if (webhook) running.push(webhook.run(emitFor(), both))
	context.report(true, running.length === 0 ? 'nothing to record' : 'recording')
	const checking = keepChecking(context, [logCheck(log)], both)
	try {
		await Promise.all([...running, ...(running.length === 0 ? [aborted(both)] : [])])
		// A replay ends; the role stays, so that the others are not stopped with it.
		context.report(true, 'every source has ended')
		await aborted(both)
	} catch (error) {
		context.report(false, messageOf(error))
		throw error
	} finally {
		stop.abort()
		await Promise.allSettled([...running, checking])
	}
}

async function webhookOf(context: RoleContext, isPaused: () => boolean): Promise<Pick<Collector, 'run'> | undefined> {
	const { webhook, clusters } = context.config
	if (!webhook) return undefined
	const { createAuditWebhook } = await import('#collectors/audit/webhook.ts')
	return createAuditWebhook(webhook, { ...context, log: context.logger, clusters: clusters.map(({ name }) => name), isPaused })
}

async function runToEnd(
	collector: Collector,
	cluster: ClusterConfig,
	context: RoleContext,
	emit: ReturnType<typeof createEmit>,
	signal: AbortSignal,
): Promise<void> {
	await collector.run(emit, signal)
	if (!signal.aborted)
		context.logger.info({ cluster: cluster.name, collector: collector.name }, 'the source has ended: everything in it is recorded')
}
