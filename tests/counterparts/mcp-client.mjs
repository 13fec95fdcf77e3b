// The official MCP client at {url}, which it knows nothing about: it is refused, finds the authorization server,
// registers (or is known there as {client}), sends alice to sign in, and calls a tool. Says what the tool said, every
// request on the way, and the scopes that were asked for.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { oauthClient } from './oauth-client.mjs'
import { signIn } from './sign-in.mjs'

const { url, client } = JSON.parse(process.argv[2])
const walk = []
const oauth = oauthClient(client)

async function recorded(input, init) {
  const answer = await fetch(input, init)
  const { origin, pathname } = new URL(input)
  walk.push(`${init?.method ?? 'GET'} ${origin}${pathname} ${answer.status}`)
  return answer
}

async function call() {
  for (let round = 0; round < 4; round++) {
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: oauth.provider, fetch: recorded })
    const client = new Client({ name: 'the tests', version: '1.0.0' })
    try {
      await client.connect(transport)
      const { content } = await client.callTool({ name: 'whoami', arguments: {} })
      await client.close()
      return content[0].text
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      await transport.finishAuth(await signIn(oauth.authorization))
    }
  }
  throw new Error('refused again and again')
}

const tool = await call()
console.log(JSON.stringify({ tool, walk, scopes: oauth.scopes }))
