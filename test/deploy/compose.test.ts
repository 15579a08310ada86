// docker-compose.yml, without docker: pinned to the versions that are tested, reachable from this machine only, each service with a health check that others wait for, and our configuration is accepted.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkSettings } from '#cli/check-config.ts'
import { configSchema } from '#cli/config.ts'
import { createProgram } from '#cli/program.ts'
import { resolveConfig } from '#runtime/config.ts'
import { compose, mountedAt, roleServices, services, withDefaults } from '#test/support/compose.ts'

const read = (path: string): string => readFileSync(path, 'utf8')

describe.each(services)('service %s', (name, service) => {
	it('is pinned', () => {
		expect(service.image).toMatch(/:v?\d+\.\d+\.\d+(-alpine)?$/)
	})

	it('is published on loopback only', () => {
		for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
		expect(service.network_mode ?? 'service:serve').toBe('service:serve')
	})

	it('waits for services that say when they are ready, or that end', () => {
		for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
			const awaited = compose.services[other]
			expect(awaited, `${name} waits for ${other}`).toBeDefined()
			if (condition === 'service_healthy') expect(awaited?.healthcheck?.test?.length).toBeGreaterThan(1)
			else expect([condition, awaited?.restart]).toEqual(['service_completed_successfully', 'on-failure'])
		}
	})

	it('mounts files that are there, and volumes that are declared', () => {
		for (const volume of service.volumes ?? []) {
			const [source = ''] = volume.split(':')
			expect(source.startsWith('./') ? existsSync(source) : source in compose.volumes, volume).toBe(true)
		}
	})
})

describe('versions', () => {
	const imageOf = (name: string): string => compose.services[name]?.image ?? ''

	it('are those that the tests run on', () => {
		const kafka = /<kafka\.version>([\d.]+)</.exec(read('test/servers/kafka/pom.xml'))?.[1]
		const elastic = /<es\.version>([\d.]+)</.exec(read('test/servers/elasticsearch/pom.xml'))?.[1]
		const etcd = /etcd\/server\/v3 (v[\d.]+)/.exec(read('test/servers/kubernetes/kuberig/go.mod'))?.[1]
		expect(imageOf('kafka')).toBe(`apache/kafka:${kafka}`)
		expect(imageOf('elasticsearch')).toBe(`docker.elastic.co/elasticsearch/elasticsearch:${elastic}`)
		expect(imageOf('kibana')).toBe(`docker.elastic.co/kibana/kibana:${elastic}`)
		expect(imageOf('etcd')).toBe(`quay.io/coreos/etcd:${etcd}`)
	})

	it('are ours', () => {
		const { version } = JSON.parse(read('package.json')) as { readonly version: string }
		for (const [, { image, build }] of roleServices) {
			expect(image).toBe(`kubetape:${version}`)
			expect(build?.dockerfile).toBe('deploy/Dockerfile')
		}
		expect(read('deploy/helm/kubetape/Chart.yaml')).toContain(`appVersion: ${version}`)
	})
})

describe('our services', () => {
	it('are the roles apart', () => {
		expect(roleServices.map(([name]) => name)).toEqual(['collect', 'process', 'serve'])
	})

	it.each(roleServices)('%s runs its role on a configuration that it accepts, with no more rights than it needs', (name, service) => {
		expect(service.command?.[0]).toBe(name)
		expect(service).toMatchObject({
			read_only: true,
			cap_drop: ['ALL'],
			security_opt: ['no-new-privileges:true'],
			stop_grace_period: '30s',
		})
		const environment = Object.fromEntries(
			Object.entries(service.environment ?? {}).map(([key, value]) => [key, withDefaults(String(value))]),
		)
		const path = mountedAt(service, '/etc/kubetape/kubetape.yaml')
		const config = resolveConfig(configSchema, { file: { path, tree: parse(read(path)) as Record<string, unknown> }, environment })
		checkSettings(config)
		expect(config.dataDir).toBe('/data')
		const writable = [...(service.volumes ?? []), ...(service.tmpfs ?? [])].some((mount) => /(^|:)\/data(:|$)/.test(mount))
		expect(writable).toBe(true)
		expect(config.store.elasticsearch?.password).toBe(
			withDefaults(String(compose.services['elasticsearch']?.environment?.['ELASTIC_PASSWORD'])),
		)
	})

	it('set up Kibana by a command that there is', () => {
		const script = compose.services['kibana-dashboards']?.command?.[0] ?? ''
		const words = (/kubetape\.mjs (.*)$/.exec(script)?.[1] ?? '').split(' ')
		const setup = createProgram().commands.find((command) => command.name() === words[0])
		const kibana = setup?.commands.find((command) => command.name() === words[1])
		const known = kibana?.options.map((option) => option.long) ?? []
		expect(words.filter((word) => word.startsWith('--') && !known.includes(word))).toEqual([])
		expect(words).toContain('--url')
	})
})
