// {issuer, client, resource}: what alice's sign-in gives the client, an ID token and an access token for the resource.
import { createHash, randomBytes } from 'node:crypto'
import { redirectUrl, signIn } from './sign-in.mjs'

const { issuer, client, resource } = JSON.parse(process.argv[2])

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const verifier = randomBytes(32).toString('base64url')
const authorization = new URL(metadata.authorization_endpoint)
authorization.search = new URLSearchParams({
  client_id: client,
  response_type: 'code',
  redirect_uri: redirectUrl,
  scope: 'openid read',
  resource,
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
})
const body = new URLSearchParams({
  grant_type: 'authorization_code',
  client_id: client,
  code: await signIn(authorization),
  redirect_uri: redirectUrl,
  code_verifier: verifier,
})
const { id_token, access_token } = await (await fetch(metadata.token_endpoint, { method: 'POST', body })).json()
console.log(JSON.stringify({ id_token, access_token }))
