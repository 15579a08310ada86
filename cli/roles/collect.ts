// Role collect: every configured source of every cluster, redacted, into the record log.
import { createAuditFileCollector } from '#collectors/audit/collector.ts'
import { createAuditWebhook } from '#collectors/audit/webhook.ts'
import { createEtcdCollector } from '#collectors/etcd/collector.ts'
import { createKubernetesCollector } from '#collectors/kubernetes/collector.ts'
import type { Collector, CollectorContext } from '#collectors/port.ts'
import { createReplayCollector } from '#collectors/replay/collector.ts'
import { loadRedactionKey } from '#processors/redact/key.ts'
import { createRedactor } from '#processors/redact/step.ts'
import type { ClusterConfig } from '#cli/config.ts'
import { aborted } from '#runtime/lifecycle.ts'
import { messageOf } from '#runtime/errors.ts'
import { openLog } from './engines.ts'
import { createEmit } from './emit.ts'
import { paths, type Role, type RoleContext } from './context.ts'

function collectorsOf(cluster: ClusterConfig, context: RoleContext): readonly Collector[] {
	const contextOf = (collector: string): CollectorContext => ({
		cluster: cluster.name,
		clock: context.clock,
		log: context.logger.child({ cluster: cluster.name, collector }),
		metrics: context.metrics,
		stateDir: paths.collectorState(context.config, cluster.name, collector),
	})
	return [
		...(cluster.etcd ? [createEtcdCollector(cluster.etcd, contextOf('etcd'))] : []),
		...(cluster.kubernetes ? [createKubernetesCollector(cluster.kubernetes, contextOf('kubernetes'))] : []),
		...(cluster.audit ? [createAuditFileCollector(cluster.audit, contextOf('audit'))] : []),
		...(cluster.replay ? [createReplayCollector(cluster.replay, contextOf('replay'))] : []),
	]
}

export const collect: Role = async (context, signal) => {
	const key = await loadRedactionKey(paths.redactionKey(context.config))
	const { redact } = createRedactor({ key })
	await using log = await openLog(context)
	const stop = new AbortController()
	const both = AbortSignal.any([signal, stop.signal])
	const onPause = (reason: string | null): void => context.report(reason === null, reason === null ? 'recording' : `paused: ${reason}`)
	const emitFor = (): ReturnType<typeof createEmit> =>
		createEmit({ log, redact, clock: context.clock, logger: context.logger, metrics: context.metrics, onPause }, both)

	const running = context.config.clusters.flatMap((cluster) =>
		collectorsOf(cluster, context).map(async (collector) => {
			await collector.run(emitFor(), both)
			if (!both.aborted)
				context.logger.info({ cluster: cluster.name, collector: collector.name }, 'the source has ended: everything in it is recorded')
		}),
	)
	const webhook = context.config.webhook
	if (webhook)
		running.push(
			createAuditWebhook(webhook, { ...context, log: context.logger, clusters: context.config.clusters.map(({ name }) => name) }).run(
				emitFor(),
				both,
			),
		)
	context.report(true, running.length === 0 ? 'nothing to record' : 'recording')
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
		await Promise.allSettled(running)
	}
}
