// An API with CORS of its own, and its pages: every path is answered with the headers that reached it, a WebSocket with
// one message of them; preflights are allowed for the origin in {origin}.
import { createHash } from 'node:crypto'
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
server.on('upgrade', ({ headers }, socket) => {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const protocol = headers['sec-websocket-protocol']?.split(',')[0].trim()
  const message = Buffer.from(JSON.stringify({ user: headers['x-user-sub'], offered: headers['sec-websocket-protocol'] }))
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`)
  // A text frame of less than 126 bytes.
  socket.write(Buffer.concat([Buffer.from([0x81, message.length]), message]))
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
