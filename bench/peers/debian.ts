// Debian's packages, unpacked into the cache and never installed.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from './peer.ts'

const packages = ['rsyslog', 'libestr0', 'libfastjson4', 'syslog-ng-core', 'libivykis0', 'libnet1', 'libpcre3', 'libwrap0', 'libfaketime']

export interface Unpacked {
	readonly root: string
	readonly environment: Readonly<Record<string, string>>
	/** The folder in which a file of this name lies. */
	folderOf(file: string): string
	versionOf(name: string): string
}

/** Throws where they cannot be had. */
export function unpackDebian(): Unpacked {
	const dir = cacheDir('debian')
	const root = join(dir, 'root')
	const done = join(dir, 'unpacked')
	if (!existsSync(done) || readFileSync(done, 'utf8') !== packages.join('\n')) {
		execFileSync('apt-get', ['download', '-qq', ...packages], { cwd: dir, stdio: 'ignore', timeout: 120_000 })
		for (const file of readdirSync(dir).filter((name) => name.endsWith('.deb'))) execFileSync('dpkg', ['-x', join(dir, file), root])
		writeFileSync(done, packages.join('\n'))
	}
	const find = (...args: readonly string[]): readonly string[] =>
		execFileSync('find', [root, ...args, '-printf', '%h\n'], { encoding: 'utf8' })
			.trim()
			.split('\n')
	const folderOf = (file: string): string => find('-name', file)[0] ?? ''
	return {
		root,
		environment: { LD_LIBRARY_PATH: [...new Set(find('-name', '*.so.*', '-not', '-name', 'libfaketime*'))].join(':') },
		folderOf,
		versionOf: (name) =>
			readdirSync(dir)
				.find((file) => file.startsWith(`${name}_`))
				?.split('_')[1]
				?.replaceAll('%3a', ':') ?? '',
	}
}
