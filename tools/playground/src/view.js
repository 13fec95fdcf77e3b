// Reports of the check as elements. All of their text is foreign: it gets in as text, never as HTML.

const STEPS = {
  bypass: 'No token needed',
  token: 'Token found',
  copies: 'Copies of the cookie',
  header: 'Header of the token',
  claims: 'Claims of the token',
  issuer: 'Issuer',
  algorithm: 'Algorithm',
  'key set': 'Key set',
  keys: 'Keys',
  signature: 'Signature',
  time: 'Time',
  type: 'Type',
  registered: 'Registered claims',
  tenant: 'Tenant',
  required: 'Required claims',
  audience: 'Audience',
  client: 'Client',
  binding: 'Binding to a key',
  scopes: 'Scopes',
  expression: 'Expression',
  'live expression': 'Expression about the request',
  revocation: 'Revocation',
  rule: 'Rule of the request',
  'rule audience': 'Audience of the rule',
  'rule scopes': 'Scopes of the rule',
  'rule expression': 'Expression of the rule',
  'step-up': 'Step-up',
  possession: 'Proof of possession',
}

/** An element with attributes and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children.flat(Infinity).filter(child => child !== undefined && child !== ''))
  return made
}

/** How it ends: {kind, text}, where kind is allow, deny or tell. */
export function verdict(report) {
  const { verdict, failure, answer, problems } = report
  if (problems) {
    return { kind: 'deny', text: `The configuration is refused: ${count(problems.length, 'mistake')}` }
  }
  if (verdict === 'deny') return { kind: 'deny', text: `Denied with status ${answer.status}: ${failure?.code ?? answer.code}` }
  if (verdict === 'allow' && answer) return { kind: 'allow', text: `Answered by the middleware with status ${answer.status}` }
  if (verdict === 'allow' && failure) return { kind: 'tell', text: `Allowed by the mode, in spite of ${failure.code}` }
  if (verdict === 'allow') return { kind: 'allow', text: 'Allowed' }
  return { kind: 'tell', text: 'Cannot tell' }
}

const count = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`

/** Everything below the verdict. */
export function details(report, hasKeys) {
  const { steps, failure, why, upstream, answer, problems } = report
  const parts = []
  if (problems) {
    const text = ({ line, message }) => `${line ? `Line ${line}: ` : ''}${message}`
    parts.push(element('ul', {}, problems.map(problem => element('li', {}, text(problem)))))
  }
  if (why) {
    const hint = hasKeys ? '' : ' Paste the key set of the issuer, or make a token above.'
    parts.push(element('p', { class: 'why' }, sentence(why.split('; give those')[0]) + hint))
  }
  if (failure) parts.push(reason(failure))
  if (upstream) parts.push(element('h3', {}, 'What the upstream gets'), changes(upstream))
  if (answer) parts.push(element('h3', {}, 'The answer'), response(answer))
  if (steps?.length) {
    const fails = steps.some(step => step.fails)
    const list = grouped(steps).map(step)
    if (failure && !fails) list.push(end(failure))
    parts.push(element('h3', {}, 'Step by step'), element('ol', { class: 'steps' }, list))
  }
  return parts
}

const sentence = text => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** Why the request is refused, with both values and what to do. */
function reason({ description, found, expected, hint, whatToDo }) {
  const rows = [['found', found], ['asked for', expected], ['hint', hint], ['what to do', withCode(whatToDo)]]
  return element('div', { class: 'reason' }, element('p', {}, sentence(description)), pairs(rows))
}

/** What stands between backquotes is code. */
function withCode(text) {
  return text && text.split('`').map((part, at) => (at % 2 ? element('code', {}, part) : part))
}

/** Names and values; rows without a value are left out. */
function pairs(rows) {
  const shown = rows.filter(([, value]) => value)
  return element('dl', {}, shown.map(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

/** Steps of the same name that follow each other are one. */
function grouped(steps) {
  const groups = []
  for (const { step, ...values } of steps) {
    const last = groups.at(-1)
    if (last?.step === step) last.values.push(values)
    else groups.push({ step, values: [values] })
  }
  return groups
}

function step({ step, values }) {
  const fails = values.some(value => value.fails)
  const lines = values.map(({ found, expected }) => {
    if (step === 'claims') return claims(found)
    return element('p', { class: expected ? 'both' : 'one' },
      element('span', { class: 'found' }, found),
      expected && element('span', { class: 'expected' }, expected))
  })
  // What became of the key set is told by its text.
  return element('li', { class: fails ? 'fails' : 'passes' }, step === 'key set' ? '' : mark(fails), element('h4', {}, STEPS[step] ?? step), lines)
}

const end = ({ code }) => element('li', { class: 'fails' }, mark(true), element('h4', {}, code))

const mark = fails => element('span', { class: 'mark', role: 'img', 'aria-label': fails ? 'fails' : 'passed' }, fails ? '✗' : '✓')

function claims(text) {
  let shown = text
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // It is cut; so it is shown as it is.
  }
  return element('pre', { tabindex: 0, 'aria-label': 'Claims of the token' }, shown)
}

function changes({ headers, removed, uri, dropsBody, response }) {
  const rows = [
    ...headers.map(({ name, value }) => ['sets', `${name}: ${value}`]),
    ...removed.map(name => ['removes', name]),
    ...(uri ? [['path', uri]] : []),
    ...(dropsBody ? [['body', 'removed']] : []),
    ...response.map(({ name, value }) => ['tells the client', `${name}: ${value}`]),
  ]
  if (!rows.length) return element('p', {}, 'The request as it is, with no header added or removed.')
  return element('table', {}, element('tbody', {}, rows.map(([what, value]) =>
    element('tr', {}, element('th', { scope: 'row' }, what), element('td', {}, element('code', {}, value))))))
}

function response({ status, headers, body }) {
  const head = [`HTTP/1.1 ${status}`, ...headers.map(({ name, value }) => `${name}: ${value}`)]
  const text = [...head, '', body].join('\n').trimEnd()
  return element('pre', { tabindex: 0, 'aria-label': 'The answer' }, text)
}

/** What is wrong with the configuration, as items of a list; `go` puts the cursor into a line. */
export function mistakes(check, go) {
  const items = []
  const add = (line, text, kind) => {
    const children = []
    if (line) {
      const button = element('button', { type: 'button' }, `Line ${line}`)
      button.addEventListener('click', () => go(line))
      children.push(button, ' ')
    }
    items.push(element('li', { class: kind }, children, text))
  }
  for (const { line, message } of check.notes) add(line, message, check.middlewares.length ? 'note' : 'mistake')
  for (const { name, line, problems, warnings, notes } of check.middlewares) {
    const prefix = check.middlewares.length > 1 ? `${name}: ` : ''
    for (const problem of problems) add(problem.line ?? line, `${prefix}${problem.message}`, 'mistake')
    for (const text of warnings) add(undefined, `${prefix}Warning: ${text}`, 'note')
    for (const text of notes) add(undefined, `${prefix}${text}`, 'note')
  }
  return items
}

/** The lines in which the mistakes are. */
export function badLines(check) {
  const own = check.middlewares.flatMap(({ line, problems }) => problems.map(problem => problem.line ?? line))
  const unreadable = check.middlewares.length ? [] : check.notes.map(({ line }) => line)
  return [...own, ...unreadable].filter(Boolean)
}
