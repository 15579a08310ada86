// Alert rules for Prometheus: deploy/prometheus/alerts.yaml and the chart's copy (generated). Each has its page in docs/guides/runbooks.
import { stringify } from 'yaml'

export interface Alert {
	readonly name: string
	readonly expr: string
	/** How long it must hold. */
	readonly for: string
	readonly severity: 'critical' | 'warning'
	readonly summary: string
}

/** `by` of a counter that is rare: one that was not there before has grown too, which `increase` does not see. */
function grew(selector: string, by: string, window: string): string {
	return `sum by (${by}) (increase(${selector}[${window}])) > 0 or sum by (${by}) (${selector} unless ${selector} offset ${window}) > 0`
}

export const alerts: readonly Alert[] = [
	{
		name: 'KubetapeAbsent',
		expr: 'absent(kubetape_build_info)',
		for: '5m',
		severity: 'critical',
		summary: 'No process of Kubetape tells its metrics: nothing is recorded, or nobody sees it.',
	},
	{
		name: 'KubetapeCollectPaused',
		expr: 'max by (instance) (kubetape_collect_paused) == 1',
		for: '2m',
		severity: 'critical',
		summary: 'A collector cannot append to the record log; its sources wait for it.',
	},
	{
		name: 'KubetapeProcessPaused',
		expr: 'max by (instance) (kubetape_process_paused) == 1',
		for: '5m',
		severity: 'critical',
		summary: 'The store takes no records; they wait in the record log.',
	},
	{
		name: 'KubetapePositionsStuck',
		expr: 'max by (instance) (kubetape_process_stuck_partitions) > 0',
		for: '2m',
		severity: 'critical',
		summary: 'Records wait in a partition and nothing of it is committed.',
	},
	{
		name: 'KubetapeFallingBehind',
		expr: 'sum by (stream) (kubetape_process_lag_records) > 20000 and sum by (stream) (deriv(kubetape_process_lag_records[15m])) > 0',
		for: '15m',
		severity: 'warning',
		summary: 'More is recorded than stored: what waits in the record log grows.',
	},
	{
		name: 'KubetapeStale',
		expr: 'histogram_quantile(0.99, sum by (le) (rate(kubetape_process_freshness_seconds_bucket[10m]))) > 30',
		for: '10m',
		severity: 'warning',
		summary: 'A hundredth of what is seen takes longer than 30 s to be found.',
	},
	{
		name: 'KubetapeSourceSilent',
		expr: 'time() - max by (cluster, source) (kubetape_collect_last_append_timestamp_seconds{source!="replay"}) > 900',
		for: '5m',
		severity: 'warning',
		summary: 'A source that gave records has given none for a quarter of an hour.',
	},
	{
		name: 'KubetapeRejects',
		expr: `${grew('kubetape_collect_rejects_total', 'cluster, step, reason', '15m')} or ${grew('kubetape_process_rejects_total', 'step, reason', '15m')} or ${grew('kubetape_store_refused_total', 'instance', '15m')}`,
		for: '0m',
		severity: 'warning',
		summary: 'Input was set aside as bad.',
	},
	{
		name: 'KubetapeRecordsLost',
		expr: grew('kubetape_log_lost_total', 'kind', '15m'),
		for: '0m',
		severity: 'critical',
		summary: 'Records of the record log could not be read, or were removed unread; a gap says which.',
	},
	{
		name: 'KubetapeStoreDamaged',
		expr: grew('kubetape_store_damages_total', 'instance', '1h'),
		for: '0m',
		severity: 'critical',
		summary: 'A day of the store was damaged and set aside; a gap says what is missing.',
	},
	{
		name: 'KubetapeSpooling',
		expr: 'max by (instance) (kubetape_log_spool_bytes) > 0',
		for: '5m',
		severity: 'warning',
		summary: 'The brokers take nothing: records wait on the disk of a collector.',
	},
	{
		name: 'KubetapeRejoining',
		expr: 'sum by (instance) (increase(kubetape_log_rejoins_total[30m])) > 5',
		for: '0m',
		severity: 'warning',
		summary: 'A processor joins the consumer group again and again.',
	},
	{
		name: 'KubetapeDiskLow',
		expr: 'min by (instance) (kubetape_data_free_bytes) < 2e9 or min by (instance) (predict_linear(kubetape_data_free_bytes[6h], 86400)) < 0',
		for: '15m',
		severity: 'critical',
		summary: 'The disk of the data directory is almost full, or will be within a day.',
	},
	{
		name: 'KubetapeRetentionFailing',
		expr: 'sum by (instance) (increase(kubetape_process_retention_failures_total[30m])) > 2',
		for: '0m',
		severity: 'warning',
		summary: 'Old records are not removed.',
	},
	{
		name: 'KubetapeApiSlow',
		expr: 'histogram_quantile(0.99, sum by (le, route) (rate(kubetape_api_request_seconds_bucket{status="200"}[10m]))) > 2',
		for: '10m',
		severity: 'warning',
		summary: 'A hundredth of the answers of a route takes longer than 2 s.',
	},
	{
		name: 'KubetapeApiFailing',
		expr: 'sum(rate(kubetape_api_request_seconds_count{status=~"5..",route!="/readyz"}[10m])) / sum(rate(kubetape_api_request_seconds_count[10m])) > 0.05',
		for: '5m',
		severity: 'warning',
		summary: 'One in twenty questions is answered with an error of ours.',
	},
	{
		name: 'KubetapeApiServerRefuses',
		expr: grew('kubetape_kubernetes_failures_total{status=~"401|403"}', 'cluster, resource, status', '15m'),
		for: '0m',
		severity: 'warning',
		summary: 'The API server does not let the collector read a resource.',
	},
	{
		name: 'KubetapeEtcdUnsteady',
		expr: 'sum by (cluster) (increase(kubetape_etcd_sessions_total[15m])) > 10',
		for: '0m',
		severity: 'warning',
		summary: 'The connection to etcd is lost again and again.',
	},
	{
		name: 'KubetapeWebhookRefuses',
		expr: grew('kubetape_audit_webhook_batches_total{status!="200"}', 'cluster, status', '10m'),
		for: '0m',
		severity: 'critical',
		summary: 'Audit batches were refused: API servers try again for a while, and then drop them.',
	},
	{
		name: 'KubetapeAuditLost',
		expr: `${grew('kubetape_audit_failed_total', 'cluster', '15m')} or ${grew('kubetape_audit_lost_total', 'cluster, way', '15m')}`,
		for: '0m',
		severity: 'critical',
		summary: 'Audit entries that API servers counted did not come; a gap says how many and when.',
	},
	{
		name: 'KubetapeVersionsDiffer',
		expr: 'count(count by (version) (kubetape_build_info)) > 1',
		for: '1h',
		severity: 'warning',
		summary: 'Several versions have been running for an hour.',
	},
]

/** `KubetapeCollectPaused` → `collect-paused`: its page in docs/guides/runbooks. */
export function runbookOf(name: string): string {
	return name
		.replace(/^Kubetape/, '')
		.replaceAll(/([a-z])([A-Z])/g, '$1-$2')
		.toLowerCase()
}

export function alertsYaml(notice: string): string {
	const rules = alerts.map(({ name, expr, for: wait, severity, summary }) => ({
		alert: name,
		expr,
		for: wait,
		labels: { severity },
		annotations: { summary, runbook: `docs/guides/runbooks/${runbookOf(name)}.md` },
	}))
	return `# ${notice}\n${stringify({ groups: [{ name: 'kubetape', rules }] }, { lineWidth: 0 })}`
}
