// docker-compose.yml as objects, and which of its services are ours.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface ComposeService {
	readonly image: string
	readonly build?: { readonly context: string; readonly dockerfile: string }
	readonly command?: readonly string[]
	readonly entrypoint?: readonly string[]
	readonly environment?: Readonly<Record<string, string | number>>
	readonly volumes?: readonly string[]
	readonly tmpfs?: readonly string[]
	readonly ports?: readonly string[]
	readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
	readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
	readonly network_mode?: string
	readonly restart?: string
	readonly [field: string]: unknown
}

export const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
	readonly services: Readonly<Record<string, ComposeService>>
	readonly volumes: Readonly<Record<string, unknown>>
}

export const services = Object.entries(compose.services)

/** Those that run a role of ours, by name. */
export const roleServices = services.filter(([, { build, entrypoint }]) => build !== undefined && entrypoint === undefined)

/** The file of this tree that a service has at `path`. */
export function mountedAt(service: ComposeService, path: string): string {
	const mount = service.volumes?.map((volume) => volume.split(':')).find(([, target]) => target === path)
	if (!mount?.[0]) throw new Error(`nothing is mounted at ${path}`)
	return mount[0]
}

/** `${NAME:-default}` as compose fills it in, where the environment has no NAME. */
export function withDefaults(text: string): string {
	return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
}
