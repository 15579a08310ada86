// npm run check: types, lint, format, house rules, unused code, generated files fresh. All are run; any failure fails.
import { join } from 'node:path'
import { run } from './vitest.ts'

const bin = (name: string): string => join('node_modules', '.bin', name)
const node = process.execPath

const checks: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
	['types', bin('tsc'), ['-p', '.']],
	['lint', bin('oxlint'), ['--type-aware', '--deny-warnings']],
	['format', bin('oxfmt'), ['--check']],
	['house', node, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/house']],
	['unused', node, [join('node_modules', 'knip', 'bin', 'knip.js')]],
	['generated', node, [join('tools', 'generate.ts'), '--check']],
]

const failed: string[] = []
for (const [name, command, args] of checks) {
	const status = await run(command, args)
	console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`)
	if (status !== 0) failed.push(name)
}
if (failed.length > 0) {
	console.error(`check failed: ${failed.join(', ')}`)
	process.exitCode = 1
}
