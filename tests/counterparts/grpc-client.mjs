// {address, calls: [{host, method, token, messages}]}: for each call, with so many messages of 64 KiB, its status,
// message and answers.
import grpc from '@grpc/grpc-js'

const { address, calls } = JSON.parse(process.argv[2])
const bytes = b => b

const seen = []
for (const { host, method, token, messages } of calls) {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.default_authority': host })
  const metadata = new grpc.Metadata()
  if (token) metadata.set('authorization', `Bearer ${token}`)
  const deadline = { deadline: Date.now() + 120_000 }
  seen.push(await new Promise(resolve => {
    const answers = []
    const stream = client.makeBidiStreamRequest(`/echo.Echo/${method}`, bytes, bytes, metadata, deadline)
    stream.on('data', answer => answers.push(String(answer)))
    stream.on('error', () => {})
    stream.on('status', ({ code, details }) => resolve({ code, details, answers }))
    for (let message = 0; message < messages; message++) stream.write(Buffer.alloc(64 << 10))
    stream.end()
  }))
  client.close()
}
console.log(JSON.stringify({ seen }))
