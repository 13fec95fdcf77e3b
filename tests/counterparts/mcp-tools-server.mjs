// An MCP server of revision 2026-07-28 with three tools and no authorization of its own: each says who the proxy says is
// calling.
import { createServer } from 'node:http'
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server'
import { toNodeHandler } from '@modelcontextprotocol/node'

const TOOLS = ['search', 'write_file', 'delete_all']

const handler = toNodeHandler(createMcpHandler(({ requestInfo }) => {
  const server = new McpServer({ name: 'tools', version: '1.0.0' })
  for (const name of TOOLS) {
    server.registerTool(name, { description: name }, () =>
      ({ content: [{ type: 'text', text: `${name} for ${requestInfo.headers.get('x-user-sub') ?? 'nobody'}` }] }))
  }
  return server
}, { legacy: 'reject' }))
const http = createServer(handler)
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${http.address().port}` })))
