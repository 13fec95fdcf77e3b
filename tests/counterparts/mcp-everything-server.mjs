// An MCP server with what the server suite of the official conformance package asks for, by the names it asks by, and no
// authorization of its own. A request that does not come from {user}, by what the proxy says, is refused.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema, CompleteRequestSchema, CreateMessageResultSchema, ElicitResultSchema, GetPromptRequestSchema,
  ListPromptsRequestSchema, ListResourcesRequestSchema, ListResourceTemplatesRequestSchema, ListToolsRequestSchema,
  ReadResourceRequestSchema, SetLevelRequestSchema, SubscribeRequestSchema, UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'

const { user } = JSON.parse(process.argv[2])
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA='

const text = text => ({ type: 'text', text })
const image = { type: 'image', data: PNG, mimeType: 'image/png' }
const resource = (uri, mimeType, text) => ({ type: 'resource', resource: { uri, mimeType, text } })
const object = (properties = {}, required = []) => ({ type: 'object', properties, required })
const said = answer => [text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content)}`)]
const ask = ({ sendRequest }, message, requestedSchema) =>
  sendRequest({ method: 'elicitation/create', params: { message, requestedSchema } }, ElicitResultSchema)

const choices = (first, ...rest) => [first, ...rest].map(([value, title]) => ({ const: value, title }))
const TITLED = choices(['value1', 'First'], ['value2', 'Second'], ['value3', 'Third'])
const OPTIONS = ['option1', 'option2', 'option3']

// What each tool takes, and says.
const tools = {
  test_simple_text: { run: () => [text('This is a simple text response for testing.')] },
  test_image_content: { run: () => [image] },
  test_audio_content: { run: () => [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    run: () => [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  },
  test_multiple_content_types: {
    run: () => [
      text('Multiple content types test:'), image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  },
  test_tool_with_logging: {
    run: async (_, { sendNotification }) => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await sendNotification({ method: 'notifications/message', params: { level: 'info', data } })
        await pause(50)
      }
      return [text('logged')]
    },
  },
  test_tool_with_progress: {
    run: async (_, { sendNotification, _meta }) => {
      for (const progress of [0, 50, 100]) {
        const params = { progressToken: _meta?.progressToken ?? 0, progress, total: 100 }
        await sendNotification({ method: 'notifications/progress', params })
        await pause(50)
      }
      return [text('done')]
    },
  },
  test_error_handling: { run: () => { throw new Error('This tool intentionally returns an error for testing') } },
  test_reconnection: { run: () => [text('reconnected')] },
  test_sampling: {
    takes: object({ prompt: { type: 'string' } }, ['prompt']),
    run: async ({ prompt }, { sendRequest }) => {
      const params = { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 }
      const { content } = await sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema)
      return [text(`LLM response: ${content.text}`)]
    },
  },
  test_elicitation: {
    takes: object({ message: { type: 'string' } }, ['message']),
    run: async ({ message }, extra) => {
      const field = description => ({ type: 'string', description })
      const schema = object({ username: field('The name'), email: field('The address') }, ['username', 'email'])
      const answer = await ask(extra, message, schema)
      return [text(`User response: ${JSON.stringify(answer)}`)]
    },
  },
  test_elicitation_sep1034_defaults: {
    run: async (_, extra) => said(await ask(extra, 'With defaults', object({
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }))),
  },
  test_elicitation_sep1330_enums: {
    run: async (_, extra) => said(await ask(extra, 'Choose', object({
      untitledSingle: { type: 'string', enum: OPTIONS },
      titledSingle: { type: 'string', oneOf: TITLED },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['One', 'Two'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
      titledMulti: { type: 'array', items: { anyOf: TITLED } },
    }))),
  },
  json_schema_2020_12_tool: {
    takes: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
      properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    },
    run: () => [text('taken')],
  },
}

const fixed = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PNG },
  'test://watched-resource': { mimeType: 'text/plain', text: 'Watched' },
}

function read(uri) {
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? []
  const made = { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }
  return { contents: [{ uri, ...(id ? made : fixed[uri]) }] }
}

const prompts = {
  test_simple_prompt: { says: () => [text('This is a simple prompt for testing.')] },
  test_prompt_with_arguments: {
    takes: ['arg1', 'arg2'], says: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  test_prompt_with_embedded_resource: {
    takes: ['resourceUri'],
    says: ({ resourceUri }) => [
      resource(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.'),
    ],
  },
  test_prompt_with_image: { says: () => [image, text('Please analyze the image above.')] },
}

function mcp() {
  const capabilities = {
    tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {},
  }
  const server = new Server({ name: 'everything', version: '1.0.0' }, { capabilities })
  const on = (schema, answer) => server.setRequestHandler(schema, ({ params }, extra) => answer(params, extra))
  on(ListToolsRequestSchema, () => ({
    tools: Object.entries(tools).map(([name, { takes }]) => ({ name, description: name, inputSchema: takes ?? object() })),
  }))
  on(CallToolRequestSchema, async ({ name, arguments: given }, extra) => {
    try {
      return { content: await tools[name].run(given, extra) }
    } catch (error) {
      return { isError: true, content: [text(error.message)] }
    }
  })
  on(ListResourcesRequestSchema, () => ({
    resources: Object.entries(fixed).map(([uri, { mimeType }]) => ({ uri, name: uri, description: uri, mimeType })),
  }))
  on(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'template' }],
  }))
  on(ReadResourceRequestSchema, ({ uri }) => read(uri))
  on(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(prompts).map(([name, { takes = [] }]) =>
      ({ name, description: name, arguments: takes.map(name => ({ name, description: name, required: true })) })),
  }))
  on(GetPromptRequestSchema, ({ name, arguments: given }) => ({
    messages: prompts[name].says(given).map(content => ({ role: 'user', content })),
  }))
  on(CompleteRequestSchema, () => ({ completion: { values: [], total: 0, hasMore: false } }))
  for (const schema of [SubscribeRequestSchema, UnsubscribeRequestSchema, SetLevelRequestSchema]) on(schema, () => ({}))
  return server
}

const sessions = new Map()
const LOCAL = ['localhost', '127.0.0.1']

const http = createServer(async (request, response) => {
  const { host, origin } = request.headers
  const names = [`http://${host}`, ...(origin ? [origin] : [])].map(url => new URL(url).hostname)
  const isLocal = names.every(name => LOCAL.includes(name))
  if (!isLocal || request.headers['x-user-sub'] !== user) return response.writeHead(403).end()
  const session = sessions.get(request.headers['mcp-session-id'])
  if (session) return session.handleRequest(request, response)
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: id => sessions.set(id, transport),
  })
  await mcp().connect(transport)
  await transport.handleRequest(request, response)
})
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${http.address().port}` })))
