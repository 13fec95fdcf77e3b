// build.mjs MODULE TO: writes the page with its scripts, its style and the module in it, so that it needs no server and
// may ask none. What runs in it is named by its hash.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

// File of examples/providers, and which of its middlewares.
const EXAMPLES = [
  ['keycloak.yml'], ['auth0.yml'], ['entra-id.yml'], ['okta.yml'], ['google.yml'], ['cloudflare-access.yml'],
  ['supabase.yml', 'supabase-legacy'],
]

const [module, to, root] = process.argv.slice(2)
const here = import.meta.dirname
const read = (...path) => readFileSync(join(...path), 'utf8')
const hash = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const bundle = async name => {
  const options = { bundle: true, minify: true, write: false, format: 'iife', target: 'es2022', legalComments: 'none', charset: 'utf8' }
  const { outputFiles: [{ text }] } = await build({ entryPoints: [join(here, 'src', name)], ...options })
  return text.trim()
}
const script = (await bundle('main.js')).replaceAll('</script', '<\\/script')
const style = await bundle('style.css')

const examples = EXAMPLES.map(([file, middleware = '']) => {
  // Without what editors are told.
  const configuration = read(root, 'examples/providers', file).replace(/^# yaml-language-server: .*\n/, '')
  const title = configuration.match(/^# ([^:]+):/)[1]
  return { title: middleware ? `${title} (${middleware})` : title, middleware, configuration }
})

const parts = {
  policy: `default-src 'none'; script-src ${hash(script)} 'wasm-unsafe-eval'; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`,
  icon: readFileSync(join(root, 'icon.png')).toString('base64'),
  style,
  version: read(root, 'Cargo.toml').match(/^version = "(.+)"$/m)[1],
  examples: JSON.stringify(examples).replaceAll('<', '\\u003c'),
  licence: `@bjorn3/browser_wasi_shim is part of this page.\n${read(here, 'node_modules/@bjorn3/browser_wasi_shim/LICENSE-MIT')}`.trim(),
  module: gzipSync(readFileSync(module), { level: 9 }).toString('base64'),
  script,
}
const page = read(here, 'src/index.html').replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name])
mkdirSync(dirname(to), { recursive: true })
writeFileSync(to, page)
