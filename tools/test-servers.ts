// npm run test:servers: installs the real servers and tools (cached outside the tree) and runs every suite that needs one; none may be left out.
import { join } from 'node:path'
import { run, runVitest } from './vitest.ts'

/** Each installs what its folder's name says, and does nothing where it is there. */
const builds = ['kubernetes', 'operations']

for (const name of builds) {
	const built = await run('bash', [join('test', 'servers', name, 'build.sh')])
	if (built !== 0) {
		console.error(`test/servers/${name} could not be built: Go and its module proxy are needed`)
		process.exit(3)
	}
}
const result = await runVitest({ args: process.argv.slice(2), environment: { KUBETAPE_TEST_SERVERS: '1' } })
console.log(`\n${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`)
process.exitCode = result.ok ? 0 : 1
