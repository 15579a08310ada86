// What is configured, as one shape: a root, a pattern for every folder below it and for the files, and what a file's path says of its lines.
import { basename } from 'node:path'
import type { LogSource } from '#records/log-block.ts'
import type { LogsConfig, Multiline } from './config.ts'

/** What all lines of a file have in common, but for the name of the file. */
export type Place = Omit<LogSource, 'file'>

export interface Source {
	/** A folder whose name holds no pattern. */
	readonly root: string
	/** Of each folder below the root, the last of the names of files (without what rotation puts behind them). */
	readonly patterns: readonly RegExp[]
	readonly format: 'container' | 'component'
	/** How a line of a component tells its time (config.ts). */
	readonly time: string
	readonly multiline: Multiline
	readonly bytesPerSecondMax: number
	/** `path`: of the file while it is written. */
	readonly placeOf: (path: string) => Place
}

/** The kubelet's own (kuberuntime helpers.go, BuildPodLogsDirectory and BuildContainerLogsDirectory). */
const podFolder = /^[^/_]+_[^/_]+_[^/_]+$/
const anyFolder = /^[^.]/
const containerFile = /^\d{1,9}\.log$/
const podPath = /([^/_]+)_([^/_]+)_([^/_]+)\/([^/]+)\/(\d{1,9})\.log$/

const escaped = (text: string): string => text.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
/** `*` and `?` of a path's part. A leading dot is only matched by one. */
const patternOf = (part: string): RegExp =>
	new RegExp(`^${/^[*?]/.test(part) ? '(?!\\.)' : ''}${escaped(part).replaceAll('*', '.*').replaceAll('?', '.')}$`)

/** Several sources may name one file: the first has it. */
export function sourcesOf(config: LogsConfig, cluster: string): readonly Source[] {
	const common = { cluster, source: 'logs', node: config.node }
	const none = { namespace: '', pod: '', podUid: '', container: '', restart: 0, component: '' }
	const sources: Source[] = []
	if (config.pods)
		sources.push({
			root: config.pods.root,
			patterns: [podFolder, anyFolder, containerFile],
			format: 'container',
			time: 'auto',
			multiline: config.pods.multiline,
			bytesPerSecondMax: config.pods.bytesPerSecondMax,
			placeOf: (path) => {
				const [, namespace = '', pod = '', podUid = '', container = '', restart = '0'] = podPath.exec(path) ?? []
				return { ...common, namespace, pod, podUid, container, restart: Number(restart), component: '' }
			},
		})
	for (const files of config.files)
		for (const path of files.paths) {
			const parts = path.split('/').filter((part) => part !== '')
			const wild = parts.findIndex((part) => /[*?]/.test(part))
			const fixed = wild < 0 ? parts.length - 1 : wild
			sources.push({
				root: `/${parts.slice(0, fixed).join('/')}`,
				patterns: parts.slice(fixed).map(patternOf),
				format: 'component',
				time: files.time,
				multiline: files.multiline,
				bytesPerSecondMax: files.bytesPerSecondMax,
				placeOf: (file) => ({
					...common,
					...none,
					component: files.component ?? basename(file).replace(/\.(log|txt|jsonl?)$/, ''),
				}),
			})
		}
	return sources
}

/** True where the source may have a log of this path. */
export function mayHave(source: Source, path: string): boolean {
	const root = source.root === '/' ? '/' : `${source.root}/`
	if (!path.startsWith(root)) return false
	const parts = path.slice(root.length).split('/')
	return parts.length === source.patterns.length && parts.every((part, index) => source.patterns[index]?.test(part))
}
