// Tests without a server: `*.test.ts`. Those that need one are `*.<server>.test.ts` and run by tools/test-servers.ts with their own selection.
import { defineConfig } from 'vitest/config'

const servers = process.env['KUBETAPE_TEST_SERVERS'] === '1'
const needsServer = [
	'test/**/*.kubernetes.test.ts',
	'test/**/*.etcd.test.ts',
	'test/**/*.kafka.test.ts',
	'test/**/*.elasticsearch.test.ts',
	'test/**/*.root.test.ts',
	'test/**/*.registry.test.ts',
	'test/**/*.helm.test.ts',
	'test/**/*.promtool.test.ts',
]

export default defineConfig({
	test: {
		include: servers ? needsServer : ['test/**/*.test.ts'],
		exclude: servers ? ['node_modules/**'] : ['node_modules/**', ...needsServer],
		setupFiles: ['test/support/fast-check.ts'],
		pool: 'forks',
		maxWorkers: 2,
		fileParallelism: !servers,
		testTimeout: servers ? 300_000 : 180_000,
		hookTimeout: servers ? 900_000 : 240_000,
	},
})
