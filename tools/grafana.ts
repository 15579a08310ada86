// The dashboard for Grafana: deploy/grafana/kubetape.json and the chart's copy (generated). Rows of panels, laid out from left to right.

type Unit = 'short' | 's' | 'bytes' | 'reqps' | 'percentunit' | 'dateTimeFromNow' | 'rowsps'

interface Panel {
	readonly title: string
	readonly about: string
	readonly unit: Unit
	readonly queries: Readonly<Record<string, string>>
	readonly kind?: 'timeseries' | 'stat'
	/** Of 24. */
	readonly width?: number
}

interface Row {
	readonly title: string
	readonly panels: readonly Panel[]
}

const quantiles = (metric: string, by = ''): Readonly<Record<string, string>> =>
	Object.fromEntries(
		[0.5, 0.99].map((quantile) => [
			`p${quantile * 100}${by === '' ? '' : ` {{${by}}}`}`,
			`histogram_quantile(${quantile}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`,
		]),
	)

export const rows: readonly Row[] = [
	{
		title: 'Is everything recorded',
		panels: [
			{
				title: 'Processes',
				about: 'By version.',
				unit: 'short',
				kind: 'stat',
				width: 4,
				queries: { '{{version}}': 'count by (version) (kubetape_build_info)' },
			},
			{
				title: 'Collectors paused',
				about: 'The record log takes nothing from them.',
				unit: 'short',
				kind: 'stat',
				width: 4,
				queries: { paused: 'sum(kubetape_collect_paused)' },
			},
			{
				title: 'Store paused',
				about: 'Records wait in the record log.',
				unit: 'short',
				kind: 'stat',
				width: 4,
				queries: { paused: 'sum(kubetape_process_paused)' },
			},
			{
				title: 'Partitions stuck',
				about: 'Records wait, and nothing is committed.',
				unit: 'short',
				kind: 'stat',
				width: 4,
				queries: { stuck: 'sum(kubetape_process_stuck_partitions)' },
			},
			{
				title: 'Waiting',
				about: 'Appended and not yet stored.',
				unit: 'short',
				kind: 'stat',
				width: 4,
				queries: { records: 'sum(kubetape_process_lag_records)' },
			},
			{
				title: 'Places lost',
				about: 'Of the record log, within the shown time. Each is told in a gap.',
				unit: 'short',
				kind: 'stat',
				width: 4,
				queries: { lost: 'sum(increase(kubetape_log_lost_total[$__range])) or vector(0)' },
			},
			{
				title: 'Recorded',
				about: 'Records a second, by kind.',
				unit: 'rowsps',
				queries: { '{{kind}}': 'sum by (kind) (rate(kubetape_collect_records_total[$__rate_interval]))' },
			},
			{
				title: 'From seen to found',
				about: 'From when a collector saw the first record of a batch until the batch is in the store.',
				unit: 's',
				queries: quantiles('kubetape_process_freshness_seconds'),
			},
			{
				title: 'Set aside as bad',
				about: 'Rejects, by step and reason.',
				unit: 'short',
				queries: {
					'{{step}}: {{reason}}': 'sum by (step, reason) (increase(kubetape_collect_rejects_total[$__rate_interval]))',
					'stored as reject: {{reason}}': 'sum by (reason) (increase(kubetape_process_rejects_total[$__rate_interval]))',
				},
			},
		],
	},
	{
		title: 'Sources',
		panels: [
			{
				title: 'Last record',
				about: 'Seconds since a source gave one.',
				unit: 's',
				queries: { '{{cluster}} {{source}}': 'time() - max by (cluster, source) (kubetape_collect_last_append_timestamp_seconds)' },
			},
			{
				title: 'By source',
				about: 'Records a second.',
				unit: 'rowsps',
				queries: { '{{cluster}} {{source}}': 'sum by (cluster, source) (rate(kubetape_collect_records_total[$__rate_interval]))' },
			},
			{
				title: 'Failures of the API server',
				about: 'Lists and watches, by status.',
				unit: 'short',
				queries: { '{{cluster}} {{status}}': 'sum by (cluster, status) (increase(kubetape_kubernetes_failures_total[$__rate_interval]))' },
			},
			{
				title: 'Audit batches',
				about: 'Of the webhook, by answer.',
				unit: 'reqps',
				queries: { '{{cluster}} {{status}}': 'sum by (cluster, status) (rate(kubetape_audit_webhook_batches_total[$__rate_interval]))' },
			},
			{
				title: 'Audit entries that did not come',
				about: 'Lost on the way, given up by API servers, and seconds of which nobody knows.',
				unit: 'short',
				queries: {
					'lost {{cluster}} {{way}}': 'sum by (cluster, way) (increase(kubetape_audit_lost_total[$__rate_interval]))',
					'given up {{cluster}}': 'sum by (cluster) (increase(kubetape_audit_failed_total[$__rate_interval]))',
					'seconds not known {{cluster}}': 'sum by (cluster) (increase(kubetape_audit_uncompared_seconds_total[$__rate_interval]))',
				},
			},
			{
				title: 'Sessions with etcd',
				about: 'Begun.',
				unit: 'short',
				queries: { '{{cluster}}': 'sum by (cluster) (increase(kubetape_etcd_sessions_total[$__rate_interval]))' },
			},
			{
				title: 'Log files read',
				about: 'Bytes a second.',
				unit: 'bytes',
				queries: { '{{cluster}}': 'sum by (cluster) (rate(kubetape_logs_read_bytes_total[$__rate_interval]))' },
			},
		],
	},
	{
		title: 'Record log',
		panels: [
			{ title: 'Append', about: 'Until a batch is durable.', unit: 's', queries: quantiles('kubetape_collect_append_seconds', 'stream') },
			{
				title: 'Waiting, by partition',
				about: 'Appended and not yet stored.',
				unit: 'short',
				queries: { '{{stream}}/{{partition}}': 'max by (stream, partition) (kubetape_process_lag_records)' },
			},
			{
				title: 'Waiting on disk',
				about: 'Records that the brokers have not taken.',
				unit: 'bytes',
				queries: { '{{instance}}': 'max by (instance) (kubetape_log_spool_bytes)' },
			},
			{
				title: 'Batches sent again',
				about: 'Not acknowledged in time.',
				unit: 'short',
				queries: { '{{reason}}': 'sum by (reason) (increase(kubetape_log_batches_again_total[$__rate_interval]))' },
			},
			{
				title: 'Members begun anew',
				about: 'Of the consumer group.',
				unit: 'short',
				queries: { '{{reason}}': 'sum by (reason) (increase(kubetape_log_rejoins_total[$__rate_interval]))' },
			},
			{
				title: 'Without their bodies',
				about: 'Records larger than the brokers take.',
				unit: 'short',
				queries: { records: 'sum(increase(kubetape_log_oversize_total[$__rate_interval]))' },
			},
		],
	},
	{
		title: 'Store and API',
		panels: [
			{
				title: 'Stored',
				about: 'Records a second; duplicates are repeats after a restart.',
				unit: 'rowsps',
				queries: { '{{result}}': 'sum by (result) (rate(kubetape_process_records_total[$__rate_interval]))' },
			},
			{
				title: 'Put',
				about: 'A batch: enriched, and durable in the store.',
				unit: 's',
				queries: quantiles('kubetape_process_put_seconds'),
			},
			{
				title: 'Disk',
				about: 'Taken by the embedded record log and store, and left.',
				unit: 'bytes',
				queries: { '{{part}}': 'max by (part) (kubetape_data_bytes)', free: 'min(kubetape_data_free_bytes)' },
			},
			{
				title: 'Questions',
				about: 'A second, by status.',
				unit: 'reqps',
				queries: { '{{status}}': 'sum by (status) (rate(kubetape_api_request_seconds_count[$__rate_interval]))' },
			},
			{
				title: 'Answers',
				about: 'The slowest hundredth, by route.',
				unit: 's',
				width: 16,
				queries: {
					'{{route}}': 'histogram_quantile(0.99, sum by (le, route) (rate(kubetape_api_request_seconds_bucket[$__rate_interval])))',
				},
			},
		],
	},
	{
		title: 'Processes',
		panels: [
			{
				title: 'CPU',
				about: 'Cores.',
				unit: 'short',
				queries: { '{{instance}}': 'rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) kubetape_build_info' },
			},
			{
				title: 'Memory',
				about: 'Resident.',
				unit: 'bytes',
				queries: { '{{instance}}': 'process_resident_memory_bytes and on (instance) kubetape_build_info' },
			},
			{
				title: 'Event loop',
				about: 'The slowest hundredth of its turns.',
				unit: 's',
				queries: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds and on (instance) kubetape_build_info' },
			},
		],
	},
]

const columns = 24
const heights = { stat: 4, timeseries: 8 } as const
const datasource = { type: 'prometheus', uid: '${datasource}' }

function panelJson(panel: Panel, id: number, gridPos: object): object {
	const kind = panel.kind ?? 'timeseries'
	const targets = Object.entries(panel.queries).map(([legendFormat, expr], index) => ({
		datasource,
		expr,
		legendFormat,
		refId: 'ABCDEFGH'.charAt(index),
	}))
	const options =
		kind === 'stat'
			? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'none' }
			: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } }
	return {
		id,
		type: kind,
		title: panel.title,
		description: panel.about,
		datasource,
		gridPos,
		targets,
		options,
		fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
	}
}

function layOut(): readonly object[] {
	const panels: object[] = []
	let [x, y, height] = [0, 0, 0]
	const newLine = (): void => {
		y += height
		;[x, height] = [0, 0]
	}
	for (const row of rows) {
		newLine()
		panels.push({
			id: panels.length + 1,
			type: 'row',
			title: row.title,
			collapsed: false,
			panels: [],
			gridPos: { x: 0, y, w: columns, h: 1 },
		})
		y += 1
		for (const panel of row.panels) {
			const [w, h] = [panel.width ?? 8, heights[panel.kind ?? 'timeseries']]
			if (x + w > columns || (height > 0 && h !== height)) newLine()
			panels.push(panelJson(panel, panels.length + 1, { x, y, w, h }))
			x += w
			height = h
		}
	}
	return panels
}

export function grafanaDashboard(): unknown {
	return {
		uid: 'kubetape',
		title: 'Kubetape',
		description: 'Whether everything is recorded, how soon it is found, and where it waits. Generated by npm run generate.',
		tags: ['kubetape', 'kubernetes'],
		schemaVersion: 39,
		version: 1,
		editable: true,
		graphTooltip: 1,
		refresh: '30s',
		time: { from: 'now-6h', to: 'now' },
		templating: { list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', hide: 0 }] },
		annotations: { list: [] },
		panels: layOut(),
	}
}
