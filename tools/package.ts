// npm run package [-- --out DIR]: the npm package, compiled, with the built page and nothing to build. Writes DIR/kubetape-VERSION.tgz (default dist) and prints its path.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPage } from '#dashboards/web/build.ts'
import { compileTree, packagedFolders } from './package-code.ts'
import { packageManifest, shrinkwrap, type Manifest } from './package-manifest.ts'
import { run } from './vitest.ts'

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
const out = resolve(values.out)
const root = resolve(import.meta.dirname, '..')
const at = join(out, 'package')
const json = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))
const write = (path: string, value: unknown): void => writeFileSync(join(at, path), `${JSON.stringify(value, undefined, '\t')}\n`)

rmSync(at, { recursive: true, force: true })
mkdirSync(at, { recursive: true })
const manifest = json('package.json') as Manifest
write('package.json', packageManifest(manifest, packagedFolders))
write('npm-shrinkwrap.json', shrinkwrap(manifest, json('package-lock.json') as Parameters<typeof shrinkwrap>[1]))
compileTree(root, at)
for (const path of ['README.md', 'CHANGELOG.md', 'LICENSE', 'demo']) cpSync(join(root, path), join(at, path), { recursive: true })
cpSync(await buildPage(), join(at, 'dashboards', 'web', 'dist'), { recursive: true })
cpSync(join(root, 'tools', 'packaged-bin.mjs'), join(at, 'cli', 'kubetape.mjs'))
chmodSync(join(at, 'cli', 'kubetape.mjs'), 0o755)
process.exitCode = await run('npm', ['pack', at, '--pack-destination', out, '--loglevel=error'])
if (process.exitCode === 0) console.log(join(out, `${manifest.name}-${manifest.version}.tgz`))
