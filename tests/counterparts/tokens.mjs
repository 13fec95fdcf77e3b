// {issuer, requests: [{client, resource, scope}]}: an access token for each request, from the token endpoint that the
// issuer's metadata names.
const { issuer, requests } = JSON.parse(process.argv[2])

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const tokens = []
for (const { client, resource, scope } of requests) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource, scope })
  const authorization = `Basic ${btoa(`${client}:secret`)}`
  const answer = await (await fetch(metadata.token_endpoint, { method: 'POST', body, headers: { authorization } })).json()
  if (!answer.access_token) throw new Error(JSON.stringify(answer))
  tokens.push(answer.access_token)
}
console.log(JSON.stringify({ tokens }))
