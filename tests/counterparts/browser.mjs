// A Chromium in which every host is this machine. {chromium, steps}: a step is {goto}, or a page of `from` calls fetch()
// as in {from, fetch, headers} or opens a WebSocket as in {from, socket, protocols}. Says for each what page or script
// got to see.
import { chromium } from 'playwright-core'

const { chromium: executablePath, steps } = JSON.parse(process.argv[2])

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--host-resolver-rules=MAP * 127.0.0.1'],
  timeout: 120_000,
})
const page = await browser.newPage()
page.setDefaultTimeout(120_000)
const seen = []
for (const { goto, from, fetch: url, headers, socket, protocols } of steps) {
  if (goto) {
    const answer = await page.goto(goto)
    const chain = []
    for (let request = answer.request(); request; request = request.redirectedFrom()) chain.unshift(request.url())
    seen.push({ status: answer.status(), url: page.url(), chain })
    continue
  }
  if (new URL(page.url()).origin !== from) await page.goto(from)
  if (socket) {
    seen.push(await page.evaluate(([socket, protocols]) => new Promise(resolve => {
      const opened = new WebSocket(socket, protocols)
      opened.onmessage = ({ data }) => { resolve({ protocol: opened.protocol, ...JSON.parse(data) }); opened.close() }
      opened.onerror = () => resolve({ error: 'refused' })
    }), [socket, protocols]))
    continue
  }
  seen.push(await page.evaluate(async ([url, headers]) => {
    try {
      const answer = await fetch(url, { headers })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
    } catch (error) {
      return { error: error.name }
    }
  }, [url, headers ?? {}]))
}
await browser.close()
console.log(JSON.stringify({ seen }))
