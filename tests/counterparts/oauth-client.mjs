// What a client of the MCP SDK keeps of an authorization: in memory, known to the server as {client} if that is given.
import { redirectUrl } from './sign-in.mjs'

export function oauthClient(client) {
  const stored = { client: client && { client_id: client } }
  const kept = {
    // The scopes that were asked for, and where the user was last sent to sign in.
    scopes: [],
    authorization: undefined,
    provider: {
      redirectUrl,
      clientMetadata: {
        client_name: 'the tests',
        application_type: 'native',
        redirect_uris: [redirectUrl],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      clientInformation: () => stored.client,
      saveClientInformation: client => { stored.client = client },
      tokens: () => stored.tokens,
      saveTokens: tokens => { stored.tokens = tokens },
      codeVerifier: () => stored.verifier,
      saveCodeVerifier: verifier => { stored.verifier = verifier },
      discoveryState: () => stored.discovery,
      saveDiscoveryState: discovery => { stored.discovery = discovery },
      redirectToAuthorization: location => {
        kept.scopes.push(location.searchParams.get('scope'))
        kept.authorization = location
      },
    },
  }
  return kept
}
