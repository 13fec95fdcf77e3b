// The check itself: jwt-check as a WASI program, one instance a run, with files and variables that are in memory only.
import { ConsoleStdout, File, OpenFile, PreopenDirectory, WASI } from '@bjorn3/browser_wasi_shim'

/** Compiles the module of a <script> that holds it, compressed. */
export async function load(element) {
  const compressed = Uint8Array.from(atob(element.textContent.trim()), character => character.charCodeAt(0))
  element.remove()
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('gzip'))
  return WebAssembly.compile(await new Response(stream).arrayBuffer())
}

/** What the library imports from Traefik, which the command never calls. */
function absent(module) {
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from === 'wasi_snapshot_preview1') continue
    imports[from] ??= {}
    imports[from][name] = () => { throw new Error(`there is no ${from}.${name} here`) }
  }
  return imports
}

/** Runs `jwt-check WORDS…`: its JSON, or why there is none. `files` and `variables` are objects of texts. */
export async function run(module, words, files, variables = {}) {
  const said = ['', '']
  const listen = at => {
    const decoder = new TextDecoder()
    return new ConsoleStdout(bytes => { said[at] += decoder.decode(bytes, { stream: true }) })
  }
  const encoder = new TextEncoder()
  const contents = Object.entries(files).map(([name, text]) => [name, new File(encoder.encode(text))])
  const environment = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const directory = new PreopenDirectory('.', new Map(contents))
  const streams = [new OpenFile(new File([])), listen(0), listen(1), directory]
  // Without the option, the shim writes each call to the console.
  const wasi = new WASI(['jwt-check', ...words], environment, streams, { debug: false })
  const imports = { wasi_snapshot_preview1: wasi.wasiImport, ...absent(module) }
  wasi.start(await WebAssembly.instantiate(module, imports))
  if (said[0]) return JSON.parse(said[0])
  throw new Error(said[1].replace(/^jwt-check: /, '').trim())
}
