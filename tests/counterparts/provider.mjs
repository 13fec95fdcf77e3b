// oidc-provider as {issuer}: at {port} over TLS with {certificate, key}, or at {socket} behind a proxy that has them.
// {keys} names the key pairs that are published, the first of them signs; they are kept in {keyDirectory}, so that a
// restart has the same. Access tokens are for {resources}. With {nonces}, its own endpoints want DPoP proofs with a nonce.
import { createPrivateKey, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createProxied } from 'node:http'
import { createServer } from 'node:https'
import Provider, { errors } from 'oidc-provider'
import { privateKeyPem } from './key-pair.mjs'

// The provider checks proofs with it, and Node.js has it from version 22 on only.
URL.parse ??= (text) => (URL.canParse(text) ? new URL(text) : null)

const { issuer, port, certificate, key, socket, keyDirectory, keys, resources, nonces } = JSON.parse(process.argv[2])

const KINDS = ['rsa', 'ec', 'okp']
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

// The scopes of examples/mcp.
const FILES = ['files:read', 'files:write', 'files:admin']

function jwk(kid, kind) {
  const file = `${keyDirectory}/${kid}.jwk`
  if (!existsSync(file)) {
    const privateKey = createPrivateKey(privateKeyPem(kind))
    writeFileSync(file, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig' }))
  }
  return JSON.parse(readFileSync(file))
}

const provider = new Provider(issuer, {
  jwks: { keys: keys.flatMap(name => KINDS.map(kind => jwk(`${name}-${kind}`, kind))) },
  scopes: ['openid', 'offline_access', 'read', 'write', ...FILES],
  // A client for each algorithm that its access tokens are signed with, two whose tokens are not for reading, and one
  // that people sign in for.
  clients: [
    ...[...ALGORITHMS, 'opaque', 'encrypted'].map(client_id => ({
      client_id,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    {
      client_id: 'mcp',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1:1/callback'],
    },
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  enabledJWA: { idTokenSigningAlgValues: ALGORITHMS, dPoPSigningAlgValues: ALGORITHMS },
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => Boolean(nonces) },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo(ctx, resource, client) {
        if (!resources.includes(resource)) throw new errors.InvalidTarget()
        const jwt = { sign: { alg: ALGORITHMS.includes(client.clientId) ? client.clientId : 'ES256' } }
        if (client.clientId === 'encrypted') jwt.encrypt = { alg: 'dir', enc: 'A256GCM', key: randomBytes(32) }
        return {
          scope: ['read', 'write', ...FILES].join(' '),
          audience: resource,
          accessTokenTTL: 600,
          accessTokenFormat: client.clientId === 'opaque' ? 'opaque' : 'jwt',
          jwt,
        }
      },
    },
  },
})
provider.on('server_error', (ctx, error) => console.error(error))

const ready = () => console.log(JSON.stringify({ issuer }))
if (socket) {
  provider.proxy = true
  rmSync(socket, { force: true })
  createProxied(provider.callback()).listen(socket, ready)
} else {
  const files = { cert: readFileSync(certificate), key: readFileSync(key) }
  createServer(files, provider.callback()).listen(port, '127.0.0.1', ready)
}
