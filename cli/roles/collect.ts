// Role collect: every configured source of every cluster, redacted, into the record log.
import type { Ways } from '#collectors/audit/counters/collector.ts'
import { ReceivedEntries } from '#collectors/audit/counters/received.ts'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { createRedactor } from '#processors/redact/step.ts'
import type { ClusterConfig } from '#cli/config.ts'
import type { KubetapeRecord } from '#records/record.ts'
import { aborted } from '#runtime/lifecycle.ts'
import { messageOf } from '#runtime/errors.ts'
import { keepChecking, appendCheck } from './checks.ts'
import { canWaitHere, openLog } from './engines.ts'
import { createPauses, type Pause } from './pauses.ts'
import { createEmit } from './emit.ts'
import { redactionKey } from './redaction.ts'
import { paths, type Role, type RoleContext } from './context.ts'

/** Loads the collectors that are configured, and with them their clients; no others. */
async function collectorsOf(cluster: ClusterConfig, context: RoleContext, received: Ways): Promise<readonly Collector[]> {
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
	if (cluster.audit) {
		const { createAuditFileCollector } = await import('#collectors/audit/collector.ts')
		const onRead = (records: readonly KubetapeRecord[]): void => received.file?.add(records, context.clock.nowMicros())
		collectors.push(createAuditFileCollector(cluster.audit, contextOf('audit'), onRead))
	}
	if (cluster.auditCounters) {
		const { createAuditCountersCollector } = await import('#collectors/audit/counters/collector.ts')
		const servers = await (await import('./counted-servers.ts')).countedServers(cluster.auditCounters)
		collectors.push(createAuditCountersCollector(cluster.auditCounters, servers, received, contextOf('audit-counters')))
	}
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
	await using log = await openLog(context, signal)
	const stop = new AbortController()
	const both = AbortSignal.any([signal, stop.signal])
	const pauses = createPauses(context)
	const emitFor = (onPause: Pause['onPause'] = pauses.one().onPause): ReturnType<typeof createEmit> =>
		createEmit({ log, redact, clock: context.clock, logger: context.logger, metrics: context.metrics, onPause }, both)

	// Loaded before the first one runs: one that fails at once must find its failure waited for.
	const received = new Map(context.config.clusters.map((cluster) => [cluster.name, waysOf(cluster, context)]))
	const sources = await Promise.all(
		context.config.clusters.map(async (cluster) => ({
			cluster,
			collectors: await collectorsOf(cluster, context, received.get(cluster.name) ?? {}),
		})),
	)
	// By itself: what the API server sends may still have room where other sources must wait.
	const webhookPause = pauses.one()
	const webhook = await webhookOf(context, webhookPause.isPaused, received)
	const running = sources.flatMap(({ cluster, collectors }) =>
		collectors.map((collector) => runToEnd(collector, cluster, context, emitFor(), both)),
	)
	if (webhook) running.push(webhook.run(emitFor(webhookPause.onPause), both))
	context.report(true, running.length === 0 ? 'nothing to record' : 'recording')
	const checking = keepChecking(context, [appendCheck(log, canWaitHere(context.config))], both)
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

/** What is remembered of what came, to be held against the API servers' own counts. */
function waysOf({ name, audit, auditCounters }: ClusterConfig, { config, metrics }: RoleContext): Ways {
	if (!auditCounters) return {}
	const entries = (way: string): ReceivedEntries => {
		const counted = metrics.counter('kubetape_audit_received_total', 'Audit entries that came, each once', ['cluster', 'way'])
		return new ReceivedEntries((count) => counted.inc({ cluster: name, way }, count))
	}
	return { ...(config.webhook ? { webhook: entries('webhook') } : {}), ...(audit ? { file: entries('file') } : {}) }
}

async function webhookOf(
	context: RoleContext,
	isPaused: () => boolean,
	received: ReadonlyMap<string, Ways>,
): Promise<Pick<Collector, 'run'> | undefined> {
	const { webhook, clusters } = context.config
	if (!webhook) return undefined
	const { createAuditWebhook } = await import('#collectors/audit/webhook.ts')
	return createAuditWebhook(webhook, {
		...context,
		log: context.logger,
		clusters: clusters.map(({ name }) => name),
		isPaused,
		onKept: (cluster, records) => received.get(cluster)?.webhook?.add(records, context.clock.nowMicros()),
	})
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
