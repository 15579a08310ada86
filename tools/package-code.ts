// The program's TypeScript as JavaScript: types blanked out by Node's own transformer, so that every line and column stays where it was, and `.ts` specifiers named `.js`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, posix } from 'node:path'

/** Folders whose code runs where the package is installed. The page is there as it was built. */
export const packagedFolders = [
	'records',
	'history',
	'collectors',
	'processors',
	'storage',
	'api',
	'dashboards/kibana',
	'runtime',
	'cli',
] as const

/** A string that is nothing but a path to a module of ours: of an import, a worker, a URL. */
const specifier = /(['"])((?:\.{1,2}\/|#)[\w./-]+)\.ts\1/g

/** One module. Source maps are not needed: what is blanked out is blanks. */
export function compileModule(text: string): string {
	return stripTypeScriptTypes(text, { mode: 'strip' }).replaceAll(specifier, '$1$2.js$1')
}

/** Modules that `text`, compiled, names and that must be beside it, as paths from the root. */
function namedBy(path: string, text: string): readonly string[] {
	return [...text.matchAll(/(?:from|import|import\()\s*['"]((?:\.{1,2}\/|#)[\w./-]+\.js)['"]/g)].map(([, name = '']) =>
		name.startsWith('#') ? name.slice(1) : posix.join(posix.dirname(path), name),
	)
}

/** Writes the compiled code of the tree at `root`, and the data files beside it, below `destination`. Throws where a module names another that is not there. */
export function compileTree(root: string, destination: string): void {
	const named: (readonly [path: string, by: string])[] = []
	for (const folder of packagedFolders) {
		for (const name of readdirSync(join(root, folder), { recursive: true }) as string[]) {
			const path = join(folder, name)
			const code = name.endsWith('.ts')
			if (!code && !/\.(nd)?json$/.test(name)) continue
			const text = readFileSync(join(root, path), 'utf8')
			const target = code ? path.replace(/\.ts$/, '.js') : path
			const compiled = code ? compileModule(text) : text
			mkdirSync(dirname(join(destination, target)), { recursive: true })
			writeFileSync(join(destination, target), compiled)
			if (code) named.push(...namedBy(target, compiled).map((other) => [other, path] as const))
		}
	}
	for (const [other, by] of named)
		if (!existsSync(join(destination, other))) throw new Error(`${by} names ${other}, which is not in the package`)
}
