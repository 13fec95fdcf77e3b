// Tokens to try a configuration with: claims of its own tests, signed with a key that is made here and forgotten, or with
// the secret of a variable.

const RSA = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
const KEYS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  RS256: { ...RSA, hash: 'SHA-256' },
  RS384: { ...RSA, hash: 'SHA-384' },
  RS512: { ...RSA, hash: 'SHA-512' },
  PS256: { ...RSA, name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
}
const SECRETS = { HS256: 32, HS384: 48, HS512: 64 }

const encoder = new TextEncoder()
const base64 = bytes => btoa(String.fromCharCode(...bytes))
const base64url = bytes => base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const part = value => base64url(encoder.encode(JSON.stringify(value)))

/** Why no token can be made of `sample` here; empty if one can. */
export function hindrance({ signing }) {
  if (!globalThis.crypto?.subtle) return 'Browsers make keys only in pages from https, localhost or a file.'
  if (signing?.keys === 'unknown') return 'The keys are in the configuration, so only their owner can sign. Paste a token.'
  const known = signing?.keys === 'secret' ? SECRETS : KEYS
  return signing?.algorithms.some(name => name in known) ? '' : 'The browser has none of the algorithms. Paste a token.'
}

/** A token of `sample`: {token, jwks, variables}, where `variables` has the secret that was made if there was none. */
export async function make(sample, variables) {
  const { signing, typ } = sample
  const known = signing.keys === 'secret' ? SECRETS : KEYS
  const alg = Object.keys(known).find(name => signing.algorithms.includes(name))
  const kid = signing.keys === 'secret' ? {} : { kid: 'sample' }
  const text = `${part({ alg, ...kid, typ: typ ?? 'JWT' })}.${part(claims(sample))}`
  const sign = async (algorithm, key) =>
    `${text}.${base64url(new Uint8Array(await crypto.subtle.sign(algorithm, key, encoder.encode(text))))}`
  if (signing.keys === 'secret') {
    const secret = variables[signing.variable] || base64(crypto.getRandomValues(new Uint8Array(SECRETS[alg])))
    const bytes = signing.isBase64
      ? Uint8Array.from(atob(secret.replaceAll('-', '+').replaceAll('_', '/')), character => character.charCodeAt(0))
      : encoder.encode(secret)
    const algorithm = { name: 'HMAC', hash: alg.replace('HS', 'SHA-') }
    const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
    return { token: await sign('HMAC', key), jwks: '', variables: { ...variables, [signing.variable]: secret } }
  }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(KEYS[alg], true, ['sign', 'verify'])
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', publicKey)
  const jwks = JSON.stringify({ keys: [{ kid: 'sample', alg, use: 'sig', kty, crv, x, y, n, e }] }, null, 1)
  return { token: await sign(KEYS[alg], privateKey), jwks, variables }
}

/** The claims, with the dates that the test leaves open; null is none. */
function claims({ claims, now, signing }) {
  const iat = now ? seconds(now) : Math.floor(Date.now() / 1000)
  const all = { iat, exp: iat + signing.lifetimeSeconds, ...claims }
  for (const name of ['iss', 'iat', 'exp']) if (all[name] === null) delete all[name]
  return all
}

const seconds = time => /^\d+$/.test(time) ? Number(time) : Math.floor(Date.parse(time) / 1000)
