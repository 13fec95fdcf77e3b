// The page: fields, their check after each change, examples and links.
import { load, run } from './core.js'
import { editor } from './editor.js'
import * as link from './link.js'
import { hindrance, make } from './sample.js'
import { badLines, details, element, mistakes, verdict } from './view.js'

const EXAMPLES = JSON.parse(document.getElementById('examples').textContent)
// Long enough not to run at every key, short enough to seem at once.
const PAUSE_MS = 120

const $ = id => document.getElementById(id)
const fields = Object.fromEntries(
  ['configuration', 'middleware', 'token', 'jwks', 'method', 'path', 'headers', 'variables', 'now', 'sample', 'example']
    .map(id => [id, $(id)]))
const lines = editor(fields.configuration, $('gutter'))

let module
let samples = []
let secrets = []
let runs = 0
let due

/** A later change makes what an earlier one finds worthless. */
async function check() {
  clearTimeout(due)
  const current = ++runs
  const text = fields.configuration.value
  const name = isToml(text) ? 'configuration.toml' : 'configuration.yaml'
  const files = { [name]: text, 'jwks.json': fields.jwks.value }
  try {
    const [checked] = await run(module, ['check', '--format', 'json', name], files, variables())
    if (current !== runs) return
    showCheck(checked)
    const report = await run(module, [...words(), name], files, variables())
    if (current === runs) showReport(report)
  } catch (error) {
    if (current === runs) showReport({ verdict: 'cannot tell', why: error.message })
  }
}

/** Tables in brackets, and values behind signs of equality. */
const isToml = text => /^\s*\[\[?[\w.'"-]+\]\]?\s*(#.*)?$/m.test(text) && /^\s*[\w."'-]+\s*=/m.test(text)

function words() {
  const value = (option, field) => (field.value.trim() ? [option, field.value.trim()] : [])
  return [
    'explain', '--format', 'json',
    ...value('--middleware', fields.middleware), ...value('--token', fields.token), ...value('--method', fields.method),
    ...value('--path', fields.path), ...value('--now', fields.now),
    ...(fields.jwks.value.trim() ? ['--jwks', 'jwks.json'] : []),
    ...fields.headers.value.split('\n').filter(line => line.trim()).flatMap(line => ['--header', line.trim()]),
  ]
}

function variables() {
  const rows = fields.variables.value.split('\n').filter(line => line.includes('='))
  return Object.fromEntries(rows.map(line => {
    const [name, ...rest] = line.split('=')
    return [name.trim(), rest.join('=').trim()]
  }))
}

function showCheck(checked) {
  const names = checked.middlewares.map(({ name }) => name)
  const wanted = fields.middleware.value
  options(fields.middleware, names.map(name => [name, name]), names.includes(wanted) ? wanted : names[0])
  $('which').hidden = names.length < 2
  lines.mark(badLines(checked))
  const items = mistakes(checked, lines.go)
  $('mistakes').replaceChildren(...items)
  const wrong = items.filter(item => item.className === 'mistake').length
  $('state').textContent = wrong ? `${wrong} ${wrong === 1 ? 'mistake' : 'mistakes'}:` : 'No mistakes.'
  $('state').className = wrong ? 'wrong' : ''
  const middleware = checked.middlewares.find(({ name }) => name === fields.middleware.value)
  secrets = checked.middlewares.flatMap(each => each.secrets)
  $('summary').textContent = middleware?.summary ? `In force: ${middleware.summary}` : ''
  showSamples(middleware?.samples ?? [])
}

function showSamples(found) {
  const chosen = fields.sample.selectedIndex
  const isSame = JSON.stringify(found.map(({ name }) => name)) === JSON.stringify(samples.map(({ name }) => name))
  samples = found
  const label = ({ name, expect }) => `${name || 'without a name'}${expect ? ` (${expect})` : ''}`
  options(fields.sample, found.map((sample, at) => [at, label(sample)]), isSame ? Math.max(chosen, 0) : 0)
  const why = found.length ? hindrance(found[0]) : 'A configuration that loads is needed for this.'
  fields.sample.disabled = $('make').disabled = Boolean(why)
  $('hindrance').textContent = why
}

function options(select, rows, chosen) {
  select.replaceChildren(...rows.map(([value, text]) => element('option', { value }, text)))
  if (chosen !== undefined) select.value = chosen
}

function showReport(report) {
  const { kind, text } = verdict(report)
  // Said again only if it is another one.
  if ($('verdict').textContent !== text) $('verdict').textContent = $('bar').textContent = text
  $('result').dataset.kind = $('bar').dataset.kind = kind
  $('details').replaceChildren(...details(report, fields.jwks.value.trim() !== ''))
}

async function makeToken() {
  const sample = samples[fields.sample.value]
  if (!sample || hindrance(sample)) return
  const made = await make(sample, variables())
  fields.token.value = made.token
  fields.jwks.value = made.jwks
  fields.variables.value = Object.entries(made.variables).map(row => row.join('=')).join('\n')
  fields.method.value = sample.method ?? 'GET'
  fields.path.value = sample.path ?? '/'
  fields.headers.value = Object.entries(sample.headers ?? {}).map(row => row.join(': ')).join('\n')
  fields.now.value = sample.now ?? ''
  await check()
}

function fill(state) {
  for (const field of Object.values(fields)) if (field.tagName !== 'SELECT') field.value = ''
  options(fields.middleware, [[state.middleware, state.middleware]], state.middleware)
  fields.configuration.value = state.configuration
  fields.method.value = state.method || 'GET'
  fields.path.value = state.path || '/'
  fields.headers.value = state.headers || ''
}

async function loadExample() {
  fill(EXAMPLES[fields.example.value])
  await check()
  fields.sample.selectedIndex = 0
  await makeToken()
}

async function loadLink() {
  const state = await link.read(location.hash)
  if (!state) return false
  fill(state)
  await check()
  return true
}

async function makeLink() {
  // What was written just now may be a secret.
  await check()
  const say = text => { $('said').textContent = text }
  const kept = secrets.length || fields.configuration.value.includes('PRIVATE KEY')
  if (kept) {
    const names = secrets.join(', ') || 'a private key'
    return say(`No link: the configuration has a secret in it (${names}). Write env:NAME, and its value under Variables.`)
  }
  const state = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]))
  history.replaceState(null, '', await link.write(state))
  const what = 'It has the configuration and the request, no token, no keys and no variables.'
  try {
    await navigator.clipboard.writeText(location.href)
    say(`The link is copied. ${what}`)
  } catch {
    say(`The link is in the address bar. ${what}`)
  }
}

async function start() {
  options(fields.example, EXAMPLES.map(({ title }, at) => [at, title]))
  try {
    module = await load($('module'))
  } catch (error) {
    return showReport({ verdict: 'cannot tell', why: `this browser cannot run the check: ${error.message}` })
  }
  const soon = () => {
    clearTimeout(due)
    due = setTimeout(check, PAUSE_MS)
  }
  $('input').addEventListener('input', event => { if (!['sample', 'example'].includes(event.target.id)) soon() })
  $('input').addEventListener('submit', event => event.preventDefault())
  $('load').addEventListener('click', loadExample)
  $('make').addEventListener('click', makeToken)
  $('link').addEventListener('click', makeLink)
  $('bar').addEventListener('click', () => {
    $('result').focus({ preventScroll: true })
    $('result').scrollIntoView({ block: 'start' })
  })
  addEventListener('hashchange', loadLink)
  new IntersectionObserver(([{ isIntersecting }]) => { $('bar').hidden = isIntersecting }).observe($('verdict'))
  if (!(await loadLink())) await loadExample()
  document.documentElement.dataset.ready = 'true'
}

start()
