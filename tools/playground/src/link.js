// Links carry a configuration and a request behind the #, which no browser sends to a server: never a token, a key, a
// variable or a header that may hold one.

const CREDENTIALS = /^(authorization|proxy-authorization|cookie|sec-websocket-protocol|x-[\w-]*(token|jwt|assertion|key)[\w-]*)$/i
const TOKEN = /([\w-]{8,})(?:\.|%2e)[\w-]*(?:(?:\.|%2e)[\w-]*)+/gi

const PARAMETER = /([?&][^=&#]*(?:token|jwt|secret|password|session|key|code)[^=&#]*=)[^&#]*/gi
// What stands for a token in a link.
const GONE = 'TOKEN'
// A link of a stranger is not to fill the memory.
const MAX_CHARACTERS = 1 << 20

/** The fragment for this state. */
export async function write({ configuration, middleware, method, path, headers }) {
  const kept = headers.split('\n').map(line => {
    const name = line.split(':')[0].trim()
    return CREDENTIALS.test(name) ? `${name}: ${GONE}` : without(line)
  })
  const state = { c: without(configuration), w: middleware, m: method, p: without(path).replace(PARAMETER, `$1${GONE}`), h: kept.join('\n') }
  const stream = new Blob([JSON.stringify(state)]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return `#c=${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** The state of a fragment; none if it is no such fragment. */
export async function read(fragment) {
  if (!fragment.startsWith('#c=')) return undefined
  try {
    const text = atob(fragment.slice(3).replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(text, character => character.charCodeAt(0))
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
    let json = ''
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      json += read.value
      if (json.length > MAX_CHARACTERS) return undefined
    }
    const { c, w, m, p, h } = JSON.parse(json)
    const [configuration, middleware, method, path, headers] = [c, w, m, p, h].map(text => String(text ?? ''))
    return { configuration, middleware, method, path, headers }
  } catch {
    return undefined
  }
}

/** The text without what looks like a token: parts with dots between them, of which the first is a JSON object. */
function without(text) {
  return text.replace(TOKEN, (token, header) => isObject(header) ? GONE : token)
}

function isObject(encoded) {
  try {
    return typeof JSON.parse(atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))) === 'object'
  } catch {
    return false
  }
}
