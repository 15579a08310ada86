// Debian's Chromium for tests of the page: installed where it is missing, never skipped.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const path = '/usr/bin/chromium'

function install(): void {
	if (existsSync(path)) return
	if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
		throw new Error(`${path} is missing: install Chromium (Debian: apt-get install chromium)`)
	const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
	execFileSync('apt-get', ['update', '-qq'], options)
	execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], options)
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
