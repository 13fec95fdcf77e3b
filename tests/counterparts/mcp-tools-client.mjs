// The official MCP client of revision 2026-07-28 at {url}, which it knows nothing about: it is refused, finds the
// authorization server, is known there as {client}, sends alice to sign in, lists the tools and calls {tools} in turn. If a
// tool needs more scopes, it has alice sign in again. With {dpop}, its tokens are bound to a key (RFC 9449). Says what the tools said, every request on the way with its headers Mcp-…, and the
// scopes that were asked for.
import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import { oauthClient } from './oauth-client.mjs'
import { signedIn } from './sign-in.mjs'

const { url, tools, client, dpop } = JSON.parse(process.argv[2])
const walk = []
const schemes = new Set()
const oauth = oauthClient(client)
if (dpop) {
  const session = await DpopSession.create()
  oauth.provider.dpop = () => session
}

async function recorded(input, init) {
  const answer = await fetch(input, init)
  const headers = new Headers(init?.headers)
  const { origin, pathname } = new URL(input)
  const names = ['mcp-method', 'mcp-name'].map(name => headers.get(name)).filter(value => value)
  if (headers.get('authorization')) schemes.add(headers.get('authorization').split(' ')[0])
  walk.push([`${init?.method ?? 'GET'} ${origin}${pathname}`, ...names, answer.status].join(' '))
  return answer
}

// What `use` makes of a connected client, with a sign-in wherever one is asked for.
async function connected(use) {
  for (let round = 0; round < 4; round++) {
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: oauth.provider, fetch: recorded })
    const client = new Client({ name: 'the tests', version: '1.0.0' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    try {
      await client.connect(transport)
      const made = await use(client)
      await client.close()
      return made
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      await transport.finishAuth(await signedIn(oauth.authorization))
    }
  }
  throw new Error('refused again and again')
}

const listed = await connected(async client => (await client.listTools()).tools.map(tool => tool.name))
const said = []
for (const name of tools) {
  said.push(await connected(async client => (await client.callTool({ name, arguments: {} })).content[0].text))
}
console.log(JSON.stringify({ listed, said, walk, schemes: [...schemes], scopes: oauth.scopes }))
