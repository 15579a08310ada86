// The built page, made anew where its sources are newer. An installed package has the page as it was built, and no sources.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const build = fileURLToPath(new URL('../dashboards/web/build.ts', import.meta.url))
const dist = fileURLToPath(new URL('../dashboards/web/dist', import.meta.url))

const isBuilt = (): boolean => existsSync(join(dist, 'index.html'))

/** The folder of the page. It is built in a process of its own, whose memory goes with it. Undefined where it cannot be built, or where the signal ended it. */
export async function preparePage(signal: AbortSignal): Promise<string | undefined> {
	if (!existsSync(build) && isBuilt()) return dist
	const builder = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', build], { stdio: ['ignore', 'ignore', 'inherit'] })
	const stop = (): void => void builder.kill()
	signal.addEventListener('abort', stop, { once: true })
	if (signal.aborted) stop()
	const [status] = (await once(builder, 'exit')) as [number | null]
	signal.removeEventListener('abort', stop)
	if (signal.aborted) return undefined
	if (status === 0 && isBuilt()) return dist
	process.stderr.write('kubetape: the page could not be built: the API is served without it\n')
	return undefined
}
