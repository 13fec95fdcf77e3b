// The page of `make playground` in Chromium, from a file. {chromium, page, configuration, mistaken, secret, jwks, good,
// expired, screenshots}: says what a user sees, and what the page asks the network for.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const given = JSON.parse(process.argv[2])
const address = pathToFileURL(given.page).href
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const browser = await chromium.launch({ executablePath: given.chromium, args: ['--no-sandbox'], timeout: 120_000 })
const requests = []
const complaints = []

/** A page of this kind, and functions on it. */
async function open(url, options) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.setDefaultTimeout(120_000)
  page.on('request', request => requests.push(request.url().split('#')[0].slice(0, 200)))
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(error.message))
  await page.goto(url)
  await page.waitForSelector('html[data-ready]')
  const text = async selector => (await page.locator(selector).allInnerTexts()).join('\n')
  const set = async (id, value) => page.locator(`#${id}`).fill(value)
  const until = (selector, part) =>
    page.waitForFunction(([selector, part]) => document.querySelector(selector)?.innerText.includes(part), [selector, part])
  const shot = async name => {
    await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }))
    if (given.screenshots) await page.screenshot({ path: join(given.screenshots, `${name}.png`), fullPage: true })
  }
  const faults = async () => {
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => globalThis.axe.run())
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(' | ')}`)
  }
  return { page, context, text, set, until, shot, faults }
}

const seen = {}
const wide = await open(address, { viewport: { width: 1280, height: 900 }, colorScheme: 'light' })
seen.start = await wide.text('#verdict')
seen.titles = await wide.page.locator('.steps h4').allInnerTexts()
seen.shift = await wide.page.evaluate(() => new Promise(resolve => {
  let sum = 0
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value }).observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => resolve(sum), 200)
}))
await wide.shot('desktop-allowed')
seen.faults = await wide.faults()

// A mistake, and its line.
await wide.set('configuration', given.mistaken)
await wide.until('#state', '1 mistake')
seen.mistake = await wide.text('#mistakes')
seen.marked = await wide.text('#gutter .bad')
await wide.until('#verdict', 'refused')
seen.refused = await wide.text('#verdict')
await wide.page.locator('#mistakes button').first().click()
seen.selected = await wide.page.locator('#configuration').evaluate(field => field.value.slice(field.selectionStart, field.selectionEnd))
await wide.shot('desktop-mistake')
seen.faults.push(...await wide.faults())

// A token that passes, and one that does not.
await wide.set('configuration', given.configuration)
await wide.set('jwks', given.jwks)
await wide.set('token', given.good)
await wide.set('path', '/orders')
await wide.until('#verdict', 'Allowed')
await wide.until('#details', 'alice')
seen.upstream = await wide.text('#details table')
await wide.set('token', `Bearer ${given.expired}`)
await wide.until('#verdict', 'token_expired')
seen.denied = await wide.text('#verdict')
seen.failing = await wide.text('.steps .fails')
seen.reason = await wide.text('.reason')
seen.answer = await wide.text('#details pre[aria-label="The answer"]')
await wide.shot('desktop-denied')
seen.faults.push(...await wide.faults())

// A link has neither the token of its field nor those that are elsewhere.
await wide.set('headers', `Authorization: Bearer ${given.good}\nX-Other: a ${given.good} b\nX-Team: blue`)
await wide.set('path', `/orders?t=${given.good.replaceAll('.', '%2E')}&a=1&access_token=opaque`)
await wide.page.locator('summary').click()
await wide.set('variables', 'JWT_SECRET=not-for-others')
await wide.page.locator('#link').click()
await wide.until('#said', 'link is')
const url = wide.page.url()
const other = await open(url, { viewport: { width: 1280, height: 900 } })
const values = {}
for (const id of ['configuration', 'token', 'jwks', 'path', 'headers', 'variables', 'method']) {
  values[id] = await other.page.locator(`#${id}`).inputValue()
}
seen.linked = values
seen.link = url.slice(address.length)
await other.context.close()
// Nor is there one with a secret that was written just now.
await wide.set('configuration', given.secret)
await wide.page.locator('#link').click()
await wide.until('#said', 'No link')
seen.secret = await wide.text('#said')

// Each example in the list loads, and the token of its first test does what that test says.
seen.examples = []
for (const title of await wide.page.locator('#example option').allInnerTexts()) {
  await wide.page.locator('#example').selectOption({ label: title })
  await wide.page.locator('#load').click()
  // The token of the field is gone at once, and that of the test is there after the check without one.
  await wide.page.waitForFunction(() =>
    document.querySelector('#token').value && document.querySelector('#verdict').innerText.includes('Allowed'))
  seen.examples.push(`${title}: ${await wide.text('#verdict')}`)
}
await wide.context.close()

// A phone, in both colours.
seen.overflow = []
for (const colorScheme of ['light', 'dark']) {
  const phone = await open(address, { viewport: { width: 320, height: 640 }, colorScheme, hasTouch: true, isMobile: true, deviceScaleFactor: 2 })
  const measure = async what => {
    const widths = await phone.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
    seen.overflow.push([`${colorScheme} ${what}`, ...widths])
  }
  await measure('allowed')
  await phone.shot(`phone-${colorScheme}-allowed`)
  await phone.set('token', given.expired)
  await phone.until('#verdict', 'Denied')
  await measure('denied')
  await phone.shot(`phone-${colorScheme}-denied`)
  if (given.screenshots) await phone.page.screenshot({ path: join(given.screenshots, `phone-${colorScheme}-first.png`) })
  await phone.set('configuration', given.mistaken)
  await phone.until('#verdict', 'refused')
  await measure('refused')
  seen.faults.push(...await phone.faults())
  await phone.context.close()
}
const dark = await open(address, { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' })
await dark.shot('desktop-dark-allowed')
await dark.set('token', given.expired)
await dark.until('#verdict', 'Denied')
await dark.shot('desktop-dark-denied')
await dark.context.close()

// Keys alone.
const keys = await open(address, { viewport: { width: 1280, height: 900 } })
const press = key => keys.page.keyboard.press(key)
const focused = () => keys.page.evaluate(() => document.activeElement.id || document.activeElement.tagName.toLowerCase())
seen.order = []
for (let at = 0; at < 40; at += 1) {
  await press('Tab')
  const id = await focused()
  if (id === 'body') break
  seen.order.push(id)
}
await keys.page.reload()
await keys.page.waitForSelector('html[data-ready]')
const reach = async id => {
  for (let at = 0; at < 40; at += 1) {
    if (await focused() === id) return
    await press('Tab')
  }
  throw new Error(`no way to ${id}`)
}
await reach('token')
await press('Control+A')
await press('Delete')
await keys.until('#verdict', 'token_missing')
await keys.page.keyboard.press('Shift+Tab')
await reach('make')
await press('Enter')
await keys.until('#verdict', 'Allowed')
seen.keyboard = await keys.text('#verdict')

seen.requests = [...new Set(requests)].filter(request => request !== address && !request.startsWith('data:'))
seen.complaints = complaints
await browser.close()
console.log(JSON.stringify(seen))
