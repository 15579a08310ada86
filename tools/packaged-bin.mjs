#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --disable-warning=ExperimentalWarning
// The command of the installed package (there as cli/kubetape.mjs). Two arenas of the C library are enough for all threads: what one frees, another one uses.
if (Number(process.versions.node.split('.')[0]) < 24) {
	process.stderr.write(`kubetape: Node 24 or newer is needed; this is ${process.versions.node}\n`)
	process.exit(3)
}
await import(new URL('main.js', import.meta.url).href)
