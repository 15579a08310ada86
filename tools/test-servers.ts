// npm run test:servers: installs the real servers (cached outside the tree) and runs every suite that needs one; none may be left out.
import { join } from 'node:path'
import { run, runVitest } from './vitest.ts'

/** Each installs what its folder's name says, and does nothing where it is there. */
const servers: readonly (readonly [script: string, needs: string])[] = [
	['kubernetes/build.sh', 'Go and its module proxy are needed'],
	['operations/build.sh', 'Go and its module proxy are needed'],
	['kafka/install.sh', 'Java 17 or newer, Maven and its central repository are needed'],
	['elasticsearch/install.sh', 'a JDK of 22 or newer, Maven and its central repository are needed'],
]

for (const [script, needs] of servers) {
	const path = join('test', 'servers', script)
	if ((await run('bash', [path])) === 0) continue
	console.error(`${path} failed: ${needs}`)
	process.exit(3)
}
const result = await runVitest({ args: process.argv.slice(2), environment: { KUBETAPE_TEST_SERVERS: '1' } })
console.log(`\n${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`)
process.exitCode = result.ok ? 0 : 1
