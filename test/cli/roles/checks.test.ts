// A role asks what it depends on, and says what it finds: an answer, a failure, or that nothing answers.
import { expect, it } from 'vitest'
import { appendCheck, keepChecking, type Check } from '#cli/roles/checks.ts'
import { configSchema } from '#cli/config.ts'
import { createRoleContext } from '#cli/roles/context.ts'
import { resolveConfig } from '#runtime/config.ts'
import { createHealth } from '#runtime/health.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { eventually, temporaryFolder } from '#test/support/program.ts'

it('reports each part, goes on asking, and ends when it is told', async () => {
	const folder = temporaryFolder('checks')
	const health = createHealth()
	const config = resolveConfig(configSchema, { flags: { dataDir: folder.path, logLevel: 'silent' } })
	const context = {
		...createRoleContext('process', config, (name, ok, message) => health.set(name, ok, message)),
		clock: { nowMicros: () => 0, sleep: () => new Promise<void>((resolve) => void setImmediate(resolve)) },
	}
	context.report(true, 'processing')
	let fails = true
	const store: Check = {
		part: 'store',
		run: async () => {
			if (fails) throw new KubetapeError('STORAGE_UNAVAILABLE', 'no node answers')
			return 'answers'
		},
	}
	const stop = new AbortController()
	const checking = keepChecking(context, [store], stop.signal)
	await eventually(
		async () => health.report(),
		({ parts }) => parts['process: store'] !== undefined,
	)
	expect(health.report()).toEqual({
		ok: false,
		parts: { process: { ok: true, message: 'processing' }, 'process: store': { ok: false, message: 'no node answers' } },
	})
	fails = false
	await eventually(
		async () => health.report().ok,
		(ok) => ok,
	)
	stop.abort()
	await checking
	expect(await context.metrics.registry.metrics()).toMatch(/^kubetape_data_free_bytes \d{6,}$/m)
	folder.remove()
})

it('a record log that is away is no reason to send records elsewhere, where they can wait here', async () => {
	const away = { lag: () => Promise.reject(new KubetapeError('STORAGE_UNAVAILABLE', 'no broker')) }
	const refused = { lag: () => Promise.reject(new KubetapeError('KAFKA_AUTH', 'wrong password')) }
	expect(await appendCheck({ lag: async () => [] }, true).run()).toBe('answers')
	expect(await appendCheck(away, true).run()).toBe('does not answer, records wait on this disk: no broker')
	await expect(appendCheck(away, false).run()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
	await expect(appendCheck(refused, true).run()).rejects.toMatchObject({ code: 'KAFKA_AUTH' })
})
