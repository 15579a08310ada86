// The OpenAPI document, asked of the API itself: an app over an empty store.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApi } from '#api/app.ts'
import { systemClock } from '#runtime/clock.ts'
import { silentLogger } from '#runtime/log.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'

export async function openApiDocument(): Promise<unknown> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-openapi-'))
	const store = await openSqliteStore({ dir, clock: systemClock })
	const report = { ok: true, parts: {} }
	const api = await createApi({
		store,
		clock: systemClock,
		metrics: { render: async () => '' },
		health: { live: () => report, ready: async () => report },
		clusters: [],
		logger: silentLogger,
		version: '0.0.0',
	})
	try {
		const response = await api.inject({ url: '/openapi.json', headers: { host: '127.0.0.1' } })
		if (response.statusCode !== 200) throw new Error(`/openapi.json answered ${response.statusCode}: ${response.body}`)
		return JSON.parse(response.body) as unknown
	} finally {
		await api.close()
		await store[Symbol.asyncDispose]()
		rmSync(dir, { recursive: true, force: true })
	}
}
