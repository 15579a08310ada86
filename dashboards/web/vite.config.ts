// How the page is built: one script, one style sheet, no other origin.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
	root: fileURLToPath(new URL('.', import.meta.url)),
	logLevel: 'warn',
	oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
	build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', modulePreload: false, assetsInlineLimit: 0 },
})
