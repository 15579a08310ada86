// npm test: every suite that needs no server. Arguments are passed on to vitest.
import { runVitest } from './vitest.ts'

const result = await runVitest({ args: process.argv.slice(2), environment: {} })
console.log(`\n${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`)
process.exitCode = result.ok ? 0 : 1
