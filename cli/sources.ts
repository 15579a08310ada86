// What all-in-one records when no file says it: a recording, the kubeconfig's cluster, or the recorded incident that ships with the project.
import { basename, delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInCluster, kubeconfigFiles, readKubeconfig } from '#collectors/kubernetes/kubeconfig.ts'
import { findRecording } from '#collectors/replay/recording.ts'
import { KubetapeError } from '#runtime/errors.ts'

export interface SourceFlags {
	readonly demo?: boolean
	readonly replay?: string
	readonly speed?: string
	readonly kubeconfig?: string
	readonly context?: string
}

export interface Source {
	/** A line for people: what is recorded. */
	readonly title: string
	/** Below the data directory, so that a recording never mixes with a live cluster. */
	readonly subfolder: string
	readonly cluster: Readonly<Record<string, unknown>>
}

const fingerprintDigits = 10
const demoDir = fileURLToPath(new URL('../demo', import.meta.url))

function speedOf(text: string | undefined): number | 'max' {
	if (text === undefined || text === 'max') return 'max'
	const speed = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : 0
	if (speed <= 0) throw new KubetapeError('CLI_USAGE', `--speed ${text}: a number above 0, or max`)
	return speed
}

/** A cluster's name out of a folder's or a context's: what cannot stand in an URL becomes a hyphen. */
export function clusterName(text: string): string {
	const name = text
		.replaceAll(/[^A-Za-z0-9._@-]+/g, '-')
		.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
		.slice(0, 128)
	return name === '' ? 'cluster' : name
}

/** Each recording has data of its own, so that another one in the same place, or of the same name, does not mix with it. Throws RECORDING_INVALID. */
async function replaySource(dir: string, name: string, title: string, speed: string | undefined): Promise<Source> {
	const replay = { path: dir, speed: speedOf(speed) }
	const { fingerprint } = await findRecording(dir)
	return { title, subfolder: join('replays', `${name}-${fingerprint.slice(0, fingerprintDigits)}`), cluster: { name, replay } }
}

/** Flags that say where to record from exclude each other, and those of another source say nothing. */
function refuseTogether(flags: SourceFlags): void {
	const recording = flags.demo === true ? '--demo' : flags.replay === undefined ? undefined : '--replay'
	if (flags.demo === true && flags.replay !== undefined) throw new KubetapeError('CLI_USAGE', '--demo and --replay exclude each other')
	for (const [flag, value] of Object.entries({
		replay: flags.replay,
		kubeconfig: flags.kubeconfig,
		context: flags.context,
		speed: flags.speed,
	}))
		if (value === '') throw new KubetapeError('CLI_USAGE', `--${flag} is empty: leave it out, or say which`)
	const other = flags.kubeconfig === undefined ? (flags.context === undefined ? undefined : '--context') : '--kubeconfig'
	if (recording !== undefined && other !== undefined) throw new KubetapeError('CLI_USAGE', `${recording} and ${other} exclude each other`)
}

function clusterSource(flags: SourceFlags, files: readonly string[]): Source {
	if (flags.speed !== undefined) throw new KubetapeError('CLI_USAGE', '--speed is for a recording: --replay DIR or --demo')
	// A kubeconfig's current context may be switched meanwhile: what was recorded goes on being recorded, and each context has data of its own.
	const kubeconfig = files.length === 0 ? undefined : readKubeconfig(files, flags.context)
	const name = clusterName(kubeconfig?.context ?? 'in-cluster')
	return {
		title: kubeconfig ? `the cluster of context ${kubeconfig.context} (${files.join(', ')}), read-only` : 'this cluster',
		subfolder: join('clusters', name),
		cluster: { name, kubernetes: kubeconfig ? { kubeconfig: files.join(delimiter), context: kubeconfig.context } : {} },
	}
}

/** Throws CLI_USAGE, CONFIG_UNREADABLE, CONFIG_INVALID or RECORDING_INVALID where the source is not there. */
export async function chooseSource(flags: SourceFlags, environment: Readonly<Record<string, string | undefined>>): Promise<Source> {
	refuseTogether(flags)
	if (flags.replay !== undefined) {
		const dir = resolve(flags.replay)
		return replaySource(dir, clusterName(basename(dir)), `the recording ${dir}`, flags.speed)
	}
	const demo = (): Promise<Source> => replaySource(demoDir, 'demo', 'the recorded incident', flags.speed)
	if (flags.demo === true) return demo()
	const files = kubeconfigFiles(flags.kubeconfig, environment, '--kubeconfig')
	if (files.length > 0 || (flags.context === undefined && isInCluster())) return clusterSource(flags, files)
	if (flags.context !== undefined) throw new KubetapeError('CLI_USAGE', `--context ${flags.context}: there is no kubeconfig`)
	return demo()
}
