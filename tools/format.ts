// npm run format: writes every file as the formatter wants it.
import { join } from 'node:path'
import { run } from './vitest.ts'

process.exitCode = await run(join('node_modules', '.bin', 'oxfmt'), process.argv.slice(2))
