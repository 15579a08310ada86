// The roles' engines: damage to the record log is told where people look for what is missing.
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { configSchema } from '#cli/config.ts'
import { createRoleContext } from '#cli/roles/context.ts'
import { openLog } from '#cli/roles/engines.ts'
import { resolveConfig } from '#runtime/config.ts'
import { numberedRecord } from '#test/support/records.ts'
import { temporaryFolder } from '#test/support/program.ts'

it('a damaged record log becomes a gap of every cluster', async () => {
	const folder = temporaryFolder('engines')
	try {
		const cluster = { kubernetes: {} }
		const clusters = ['one', 'two'].map((name) => ({ name, ...cluster }))
		const config = resolveConfig(configSchema, { flags: { dataDir: folder.path, logLevel: 'silent', clusters } })
		const context = createRoleContext('collect', config, () => undefined)
		const whole = await openLog(context, new AbortController().signal)
		for (let number = 1; number <= 200; number++) await whole.append('records', [numberedRecord(number)])
		expect((await whole.lag('g', ['ledger']))[0]?.records ?? 0n).toBe(0n)
		await whole[Symbol.asyncDispose]()
		truncateSync(join(folder.path, 'log', 'records.db'), 20_000)
		await using log = await openLog(context, new AbortController().signal)
		for await (const { records } of log.read('g', ['ledger'], AbortSignal.timeout(10_000))) {
			expect(records.map(({ kind, cluster: name }) => [kind, name])).toEqual([
				['gap', 'one'],
				['gap', 'two'],
			])
			expect(records[0]).toMatchObject({ reason: 'corrupt', scope: 'record log', detail: expect.stringContaining('records.db.damaged-') })
			break
		}
	} finally {
		folder.remove()
	}
})
