// What all-in-one records when no file says it: a recording, the kubeconfig's cluster, or the recorded incident that ships with the project.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
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
const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token'

function kubeconfigOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
	const named = (environment['KUBECONFIG'] ?? '').split(delimiter).find((path) => path !== '')
	const path = named ?? join(homedir(), '.kube', 'config')
	return existsSync(path) ? path : undefined
}

function speedOf(text: string | undefined): number | 'max' {
	if (text === undefined || text === 'max') return 'max'
	const speed = Number(text)
	if (!Number.isFinite(speed) || speed <= 0) throw new KubetapeError('CLI_USAGE', `--speed ${text}: a number above 0, or max`)
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

export async function chooseSource(flags: SourceFlags, environment: Readonly<Record<string, string | undefined>>): Promise<Source> {
	if (flags.demo === true && flags.replay !== undefined) throw new KubetapeError('CLI_USAGE', '--demo and --replay exclude each other')
	if (flags.replay === '') throw new KubetapeError('CLI_USAGE', '--replay: the folder of a recording')
	if (flags.replay !== undefined) {
		const dir = resolve(flags.replay)
		return replaySource(dir, clusterName(basename(dir)), `the recording ${dir}`, flags.speed)
	}
	const demo = (): Promise<Source> => replaySource(demoDir, 'demo', 'the recorded incident', flags.speed)
	if (flags.demo === true) return demo()
	const kubeconfig = flags.kubeconfig ?? kubeconfigOf(environment)
	if (kubeconfig === undefined && !existsSync(serviceAccountToken)) return demo()
	const options = {
		...(kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) }),
		...(flags.context === undefined ? {} : { context: flags.context }),
	}
	const name = flags.context ?? (kubeconfig === undefined ? 'in-cluster' : 'cluster')
	return {
		title: kubeconfig === undefined ? 'this cluster' : `the cluster of ${kubeconfig}, read-only`,
		subfolder: join('clusters', clusterName(name)),
		cluster: { name: clusterName(name), kubernetes: options },
	}
}
