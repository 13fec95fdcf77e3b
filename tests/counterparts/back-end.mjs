// What Node has of a request, by the variable in which an application would look: its own way and Express'.
import cookieParser from 'cookie-parser'
import express from 'express'
import { parse } from 'node:querystring'

const { port } = JSON.parse(process.argv[2])

const app = express().set('query parser', 'extended').use(cookieParser())
app.use((request, response) => {
  const { searchParams, search } = new URL(request.url, 'http://back.end')
  const header = (name) => ({
    [`request.headers[${name.toLowerCase()}]`]: request.headers[name.toLowerCase()],
    [`request.headersDistinct[${name.toLowerCase()}]`]: request.headersDistinct[name.toLowerCase()]?.join(', '),
    [`request.get(${name})`]: request.get(name)
  })
  const values = searchParams.getAll('a_token')
  // What is not there is said, too.
  const absent = (_, value) => value === undefined ? null : value
  response.type('json').send(JSON.stringify({
    headers: header('X-User-Sub'),
    tokens: header('X-Token'),
    query: {
      URLSearchParams: values.length ? values : undefined,
      querystring: parse(search.slice(1)).a_token,
      'request.query': request.query.a_token
    },
    cookies: { cookieParser: request.cookies.a_token },
    all: [request.rawHeaders, request.url]
  }, absent))
})
app.listen(port, '127.0.0.1')
