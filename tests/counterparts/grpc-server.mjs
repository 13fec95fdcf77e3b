// A gRPC server without TLS, as Traefik reaches one over h2c: /echo.Echo/Say answers once, /echo.Echo/Count three
// times, /echo.Echo/Chat once for each message. Each answer is the identity that reached it.
import grpc from '@grpc/grpc-js'

const bytes = { requestSerialize: b => b, requestDeserialize: b => b, responseSerialize: b => b, responseDeserialize: b => b }
const method = (name, requestStream, responseStream) =>
  ({ path: `/echo.Echo/${name}`, requestStream, responseStream, ...bytes })
const identity = call => Buffer.from(String(call.metadata.get('x-user-sub')))

const server = new grpc.Server()
server.addService({
  Say: method('Say', false, false),
  Count: method('Count', false, true),
  Chat: method('Chat', true, true),
}, {
  Say: (call, answer) => answer(null, identity(call)),
  Count: call => {
    for (let count = 0; count < 3; count++) call.write(identity(call))
    call.end()
  },
  Chat: call => call.on('data', () => call.write(identity(call))).on('end', () => call.end()),
})
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  console.log(JSON.stringify({ url: `h2c://127.0.0.1:${port}` }))
})
