// For each alert: series with which it fires, and series near them with which it does not. Values as promtool writes them, a minute apart.

export interface Case {
	readonly fires: Readonly<Record<string, string>>
	readonly quiet: Readonly<Record<string, string>>
	/** Labels of the alert that fires, its severity aside. */
	readonly labels: Readonly<Record<string, string>>
}

const freshness = (le: string): string => `kubetape_process_freshness_seconds_bucket{le="${le}"}`
const requests = (more: string): string => `kubetape_api_request_seconds_${more}`
const rejects = 'kubetape_collect_rejects_total{cluster="a",step="etcd.decode",reason="no protobuf"}'
const refused = (status: number): string => `kubetape_kubernetes_failures_total{cluster="a",resource="pods",status="${status}"}`
const slow = { route: '/api/v1/timeline', status: '200' }
const bucket = (le: string): string => requests(`bucket{route="${slow.route}",status="${slow.status}",le="${le}"}`)
const onA = { instance: 'a' }

export const cases: Readonly<Record<string, Case>> = {
	KubetapeAbsent: { fires: {}, quiet: { 'kubetape_build_info{version="1"}': '1x60' }, labels: {} },
	KubetapeCollectPaused: {
		fires: { 'kubetape_collect_paused{instance="a"}': '1x60' },
		quiet: { 'kubetape_collect_paused{instance="a"}': '1 0 1 0 0x56' },
		labels: onA,
	},
	KubetapeProcessPaused: {
		fires: { 'kubetape_process_paused{instance="a"}': '1x60' },
		quiet: { 'kubetape_process_paused{instance="a"}': '0x55 1x4' },
		labels: onA,
	},
	KubetapePositionsStuck: {
		fires: { 'kubetape_process_stuck_partitions{instance="a"}': '2x60' },
		quiet: { 'kubetape_process_stuck_partitions{instance="a"}': '0x60' },
		labels: onA,
	},
	KubetapeFallingBehind: {
		fires: { 'kubetape_process_lag_records{stream="records",partition="0"}': '0+1000x60' },
		quiet: { 'kubetape_process_lag_records{stream="records",partition="0"}': '90000-1000x60' },
		labels: { stream: 'records' },
	},
	KubetapeStale: {
		fires: { [freshness('30')]: '0+90x60', [freshness('60')]: '0+100x60', [freshness('+Inf')]: '0+100x60' },
		quiet: { [freshness('30')]: '0+100x60', [freshness('60')]: '0+100x60', [freshness('+Inf')]: '0+100x60' },
		labels: {},
	},
	KubetapeSourceSilent: {
		fires: { 'kubetape_collect_last_append_timestamp_seconds{cluster="a",source="etcd"}': '0x60' },
		quiet: {
			'kubetape_collect_last_append_timestamp_seconds{cluster="a",source="etcd"}': '0+60x60',
			'kubetape_collect_last_append_timestamp_seconds{cluster="demo",source="replay"}': '0x60',
		},
		labels: { cluster: 'a', source: 'etcd' },
	},
	KubetapeRejects: {
		fires: { [rejects]: '_x55 1x5' },
		quiet: { [rejects]: '7x60' },
		labels: { cluster: 'a', step: 'etcd.decode', reason: 'no protobuf' },
	},
	KubetapeRecordsLost: {
		fires: { 'kubetape_log_lost_total{kind="retention"}': '_x58 1x2' },
		quiet: { 'kubetape_log_lost_total{kind="retention"}': '1x60' },
		labels: { kind: 'retention' },
	},
	KubetapeStoreDamaged: {
		fires: { 'kubetape_store_damages_total{instance="a"}': '0x50 1x10' },
		quiet: { 'kubetape_store_damages_total{instance="a"}': '0x60' },
		labels: onA,
	},
	KubetapeSpooling: {
		fires: { 'kubetape_log_spool_bytes{instance="a"}': '4096x60' },
		quiet: { 'kubetape_log_spool_bytes{instance="a"}': '4096x54 0x6' },
		labels: onA,
	},
	KubetapeRejoining: {
		fires: { 'kubetape_log_rejoins_total{instance="a",reason="watchdog"}': '0+1x60' },
		quiet: { 'kubetape_log_rejoins_total{instance="a",reason="watchdog"}': '0x50 1 2x9' },
		labels: onA,
	},
	KubetapeDiskLow: {
		fires: { 'kubetape_data_free_bytes{instance="a"}': '1e9x60' },
		quiet: { 'kubetape_data_free_bytes{instance="a"}': '5e10x60' },
		labels: onA,
	},
	KubetapeRetentionFailing: {
		fires: { 'kubetape_process_retention_failures_total{instance="a"}': '0+1x60' },
		quiet: { 'kubetape_process_retention_failures_total{instance="a"}': '0x50 1x10' },
		labels: onA,
	},
	KubetapeApiSlow: {
		fires: { [bucket('1')]: '0+90x60', [bucket('2.5')]: '0+98x60', [bucket('5')]: '0+100x60', [bucket('+Inf')]: '0+100x60' },
		quiet: { [bucket('1')]: '0+100x60', [bucket('2.5')]: '0+100x60', [bucket('5')]: '0+100x60', [bucket('+Inf')]: '0+100x60' },
		labels: { route: slow.route },
	},
	KubetapeApiFailing: {
		fires: {
			[requests('count{route="/api/v1/logs",status="500"}')]: '0+10x60',
			[requests('count{route="/api/v1/logs",status="200"}')]: '0+90x60',
		},
		quiet: {
			[requests('count{route="/api/v1/logs",status="404"}')]: '0+50x60',
			[requests('count{route="/readyz",status="503"}')]: '0+50x60',
			[requests('count{route="/api/v1/logs",status="200"}')]: '0+50x60',
		},
		labels: {},
	},
	KubetapeApiServerRefuses: {
		fires: { [refused(403)]: '_x55 1x5' },
		quiet: { [refused(410)]: '0+1x60' },
		labels: { cluster: 'a', resource: 'pods', status: '403' },
	},
	KubetapeEtcdUnsteady: {
		fires: { 'kubetape_etcd_sessions_total{cluster="a"}': '0+1x60' },
		quiet: { 'kubetape_etcd_sessions_total{cluster="a"}': '1x55 2x5' },
		labels: { cluster: 'a' },
	},
	KubetapeWebhookRefuses: {
		fires: { 'kubetape_audit_webhook_batches_total{cluster="a",status="503"}': '_x57 1x3' },
		quiet: { 'kubetape_audit_webhook_batches_total{cluster="a",status="200"}': '0+5x60' },
		labels: { cluster: 'a', status: '503' },
	},
	KubetapeAuditLost: {
		fires: { 'kubetape_audit_lost_total{cluster="a",way="webhook"}': '_x57 12x3' },
		quiet: { 'kubetape_audit_lost_total{cluster="a",way="webhook"}': '12x60', 'kubetape_audit_failed_total{cluster="a"}': '0x60' },
		labels: { cluster: 'a', way: 'webhook' },
	},
	KubetapeVersionsDiffer: {
		fires: { 'kubetape_build_info{version="1"}': '1x70', 'kubetape_build_info{version="2"}': '1x70' },
		quiet: { 'kubetape_build_info{version="1",instance="a"}': '1x70', 'kubetape_build_info{version="1",instance="b"}': '1x70' },
		labels: {},
	},
}
