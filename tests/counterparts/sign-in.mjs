// Where the clients of people are sent back to; nobody listens there.
export const redirectUrl = 'http://127.0.0.1:1/callback'

// The same, as the code alone.
export const signIn = async location => (await signedIn(location)).get('code')

// What a person does in a browser: signs in, agrees, and is sent back with a code.
export async function signedIn(location) {
  const cookies = new Map()
  let form
  for (let step = 0; step < 20; step++) {
    const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
    const answer = await fetch(location, { method: form ? 'POST' : 'GET', body: form, redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/)
      if (value) cookies.set(name, value)
      else cookies.delete(name)
    }
    const next = answer.headers.get('location')
    form = undefined
    if (next) {
      location = new URL(next, location)
      if (location.href.startsWith(redirectUrl)) {
        if (!location.searchParams.get('code')) throw new Error(location.href)
        return location.searchParams
      }
      continue
    }
    const page = await answer.text()
    const [, action] = /action="([^"]+)" method="post"/.exec(page) ?? []
    if (!action) throw new Error(`${location}: ${answer.status} ${page}`)
    location = new URL(action, location)
    form = new URLSearchParams({ prompt: /name="prompt" value="([^"]+)"/.exec(page)[1], login: 'alice', password: 'secret' })
  }
  throw new Error('the sign-in goes in circles')
}
