// Builds the page when its sources are newer than what was built. Run as a program, or call buildPage.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

function newest(dir: string): number {
	return Math.max(
		0,
		...readdirSync(dir, { withFileTypes: true }).map((entry) =>
			entry.name === 'dist' ? 0 : entry.isDirectory() ? newest(join(dir, entry.name)) : statSync(join(dir, entry.name)).mtimeMs,
		),
	)
}

/** The folder of the built page. */
export async function buildPage(): Promise<string> {
	const dist = join(here, 'dist')
	const index = join(dist, 'index.html')
	if (existsSync(index) && statSync(index).mtimeMs >= newest(here)) return dist
	const { build } = await import('vite')
	await build({ configFile: join(here, 'vite.config.ts') })
	return dist
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage()
