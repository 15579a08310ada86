// Builds the page when its sources are newer than what was built. Run as a program, or call buildPage.
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

function newest(dir: string): number {
	return Math.max(
		0,
		...readdirSync(dir, { withFileTypes: true }).map((entry) =>
			entry.name.startsWith('dist') ? 0 : entry.isDirectory() ? newest(join(dir, entry.name)) : statSync(join(dir, entry.name)).mtimeMs,
		),
	)
}

const dist = join(here, 'dist')

function isFresh(): boolean {
	const index = join(dist, 'index.html')
	return existsSync(index) && statSync(index).mtimeMs >= newest(here)
}

/** The folder of the built page. Several processes may ask at once: each builds aside, and the first one done is taken. */
export async function buildPage(): Promise<string> {
	if (isFresh()) return dist
	const aside = `${dist}-${process.pid}`
	const { build } = await import('vite')
	await build({ configFile: join(here, 'vite.config.ts'), build: { outDir: aside } })
	if (!isFresh()) {
		rmSync(dist, { recursive: true, force: true })
		try {
			renameSync(aside, dist)
		} catch (error) {
			// Another process was faster in between.
			if (!isFresh()) throw error
		}
	}
	rmSync(aside, { recursive: true, force: true })
	return dist
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage()
