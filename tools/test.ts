// npm test: every suite that needs no server. Arguments are passed on to vitest.
import { join } from 'node:path'
import { run, runVitest } from './vitest.ts'

// Once, and not by each test file that shows the page at the same time as another.
if ((await run(process.execPath, ['--disable-warning=ExperimentalWarning', join('dashboards', 'web', 'build.ts')])) !== 0)
	throw new Error('the page cannot be built')
const result = await runVitest({ args: process.argv.slice(2), environment: {} })
console.log(`\n${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`)
process.exitCode = result.ok ? 0 : 1
