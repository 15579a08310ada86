// npm run bench: runs every bench of this folder, or those named, and prints ours and the peer's numbers of the same run.
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'

interface Bench {
	readonly name: string
	readonly run: (print: (line: string) => void) => Promise<void>
}

const wanted = process.argv.slice(2)
const own = new Set(['run.ts'])
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && !own.has(file))

for (const file of files.toSorted()) {
	const module = (await import(`./${file}`)) as Partial<Bench>
	if (module.run === undefined || (wanted.length > 0 && !wanted.includes(basename(file, '.ts')))) continue
	console.log(`\n## ${module.name ?? file}`)
	await module.run((line) => console.log(line))
}
