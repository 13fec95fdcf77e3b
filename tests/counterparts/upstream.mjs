// An API with CORS of its own, and its pages: every path is answered with the headers that reached it; preflights are
// allowed for the origin in {origin}.
import { createServer } from 'node:http'

const { origin } = JSON.parse(process.argv[2])

const server = createServer((request, response) => {
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Allow-Headers', 'authorization')
  response.setHeader('Vary', 'Origin')
  if (request.method === 'OPTIONS') return response.writeHead(204).end()
  if (request.headers.accept?.includes('text/html')) {
    return response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>')
  }
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify(request.headers))
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
