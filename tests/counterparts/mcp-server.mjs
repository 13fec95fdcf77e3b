// An MCP server without any authorization of its own: its tool says who the proxy says is calling.
import { createServer } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'

const http = createServer(async (request, response) => {
  if (request.method !== 'POST') return response.writeHead(405).end()
  // Without sessions each request has a server of its own.
  const server = new McpServer({ name: 'who', version: '1.0.0' })
  server.registerTool('whoami', { description: 'The caller' }, ({ requestInfo }) =>
    ({ content: [{ type: 'text', text: requestInfo.headers['x-user-sub'] ?? 'nobody' }] }))
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  response.on('close', () => server.close())
  await server.connect(transport)
  await transport.handleRequest(request, response)
})
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${http.address().port}` })))
