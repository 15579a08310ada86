// Debian's Chromium for tests of the page: installed where it is missing, never skipped.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const path = '/usr/bin/chromium'

const installing = `test -e ${path} || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }`

function install(): void {
	const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
	if (!existsSync(path) && !canInstall) throw new Error(`${path} is missing: install Chromium (Debian: apt-get install chromium)`)
	if (!canInstall) return
	// One test file after another: what is being installed for one is not there yet.
	const lock = join(tmpdir(), 'kubetape-chromium.lock')
	execFileSync('flock', [lock, 'sh', '-c', installing], { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
}

/** A headless browser with a profile of its own; close it. */
export async function openBrowser(): Promise<Browser> {
	install()
	return chromium.launch({
		executablePath: path,
		headless: true,
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	})
}
