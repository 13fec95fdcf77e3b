// A client of {issuer} with a key of its own for {alg}: {client} gets a token that is bound to the key, and calls {api} with
// it as RFC 9449 has it, twice. Says what became of each call, of the token as a bearer token, of a proof for another URI, and
// what the upstream has seen.
import { createHash, createPublicKey, randomUUID } from 'node:crypto'
import { SignJWT, importPKCS8 } from 'jose'
import { privateKeyPem } from './key-pair.mjs'

const { issuer, client, alg, resource, api } = JSON.parse(process.argv[2])
const pem = privateKeyPem({ RS256: 'rsa', ES256: 'ec', EdDSA: 'okp' }[alg])
const privateKey = await importPKCS8(pem, alg)
const jwk = createPublicKey(pem).export({ format: 'jwk' })
const nonces = {}

function proof(htm, url, token) {
  const { origin, pathname } = new URL(url)
  const claims = { jti: randomUUID(), htm, htu: origin + pathname }
  if (nonces[origin]) claims.nonce = nonces[origin]
  if (token) claims.ath = createHash('sha256').update(token).digest('base64url')
  return new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg, jwk }).setIssuedAt().sign(privateKey)
}

async function send(method, url, { token, scheme = 'DPoP', headers = {}, body, htu = url }) {
  const authorization = token ? `${scheme} ${token}` : headers.authorization
  const answer = await fetch(url, {
    method, body, headers: { ...headers, authorization, DPoP: await proof(method, htu, token) },
  })
  const nonce = answer.headers.get('DPoP-Nonce')
  if (nonce) nonces[new URL(url).origin] = nonce
  return answer
}

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
async function issued() {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'read' })
  const headers = { authorization: `Basic ${btoa(`${client}:secret`)}` }
  for (let round = 0; round < 2; round++) {
    const answer = await (await send('POST', metadata.token_endpoint, { headers, body })).json()
    if (answer.access_token) {
      if (answer.token_type !== 'DPoP') throw new Error(JSON.stringify(answer))
      return answer.access_token
    }
    if (answer.error !== 'use_dpop_nonce') throw new Error(JSON.stringify(answer))
  }
}

const token = await issued()
const calls = []
let seen
while (calls.filter(call => call === 200).length < 2 && calls.length < 5) {
  const answer = await send('GET', api, { token })
  const challenge = answer.headers.get('WWW-Authenticate') ?? ''
  if (answer.status === 200) seen = await answer.json()
  calls.push(challenge.includes('use_dpop_nonce') ? 'use_dpop_nonce' : answer.status)
}
const code = answer => answer.headers.get('X-Code') ?? answer.status
const asBearer = code(await send('GET', api, { token, scheme: 'Bearer' }))
const elsewhere = code(await send('GET', api, { token, htu: new URL('/elsewhere', api).href }))
console.log(JSON.stringify({ calls, asBearer, elsewhere, seen }))
