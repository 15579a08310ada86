// The OpenTelemetry Collector's filelog receiver, with the settings that its documentation gives for delivery: checkpoints and the sending queue in file storage, retries without an end.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, outputOf, type Command, type Peer } from './peer.ts'

/** Throws where it cannot be built. */
export function otelcol(): Peer {
	const dest = cacheDir('otelcol')
	execFileSync(join(import.meta.dirname, 'otelcol', 'build.sh'), [dest], { stdio: ['ignore', 'ignore', 'inherit'] })
	const command = join(dest, 'otelcol')
	const [, version = ''] = /version (\S+)/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' })) ?? []
	const run = (dir: string, config: string): Command => {
		const file = join(dir, 'otelcol.yaml')
		writeFileSync(file, config)
		return { command, args: ['--config', `file:${file}`], environment: {} }
	}
	return {
		name: 'OpenTelemetry Collector (filelog)',
		version,
		settings:
			'filelog (container operator, file_storage, retry_on_failure), otlp_http with sending_queue in file_storage (block_on_overflow), retries without an end',
		sends: 'otlp',
		clockCanStep: false,
		toFile: (input, dir) =>
			run(
				dir,
				`${receiver('path' in input ? input.path : `${input.root}/*/*/*.log`, dir, '200ms')}
exporters: { file: { path: ${outputOf(dir)}, flush_interval: 200ms } }
${service('file')}`,
			),
		toReceiver({ path, dir, port }) {
			mkdirSync(dir, { recursive: true })
			return run(
				dir,
				`${receiver(path, dir, '100ms')}
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:${port}
    encoding: json
    compression: none
    retry_on_failure: { enabled: true, initial_interval: 200ms, max_interval: 1s, max_elapsed_time: 0 }
    sending_queue: { enabled: true, storage: file_storage, queue_size: 100000, block_on_overflow: true }
${service('otlp_http')}`,
			)
		},
	}
}

const receiver = (include: string, dir: string, pollInterval: string): string => `extensions:
  file_storage: { directory: ${dir}/storage, create_directory: true }
receivers:
  filelog:
    include: ['${include}']
    start_at: beginning
    include_file_path: true
    storage: file_storage
    poll_interval: ${pollInterval}
    max_log_size: 4MiB
    retry_on_failure: { enabled: true, max_elapsed_time: 0 }
    operators: [{ type: container }]`

const service = (exporter: string): string => `service:
  extensions: [file_storage]
  pipelines: { logs: { receivers: [filelog], exporters: [${exporter}] } }
  telemetry: { metrics: { level: none }, logs: { level: error } }
`
