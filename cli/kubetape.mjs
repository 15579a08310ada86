#!/usr/bin/env node
// `npx kubetape …`: cli/main.ts on the project's own Node 24.
import { fileURLToPath } from 'node:url'

process.argv.splice(2, 0, 'cli/main.ts')
process.argv[1] = fileURLToPath(new URL('../tools/run.mjs', import.meta.url))
await import('../tools/run.mjs')
