"""The same as mcp-tools-client.mjs with the official client for Python."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

ARGUMENT = json.loads(sys.argv[1])
REDIRECT = "http://127.0.0.1:1/callback"
walk, scopes = [], []
authorization = None


class Storage:
    tokens = None
    client = OAuthClientInformationFull(
        client_id=ARGUMENT["client"], redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
    )

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def redirected(location):
    global authorization
    authorization = location
    scopes.append(parse_qs(urlsplit(location).query).get("scope", [None])[0])


async def called_back():
    script = Path(__file__).with_name("sign-in-once.mjs")
    output = await asyncio.to_thread(subprocess.check_output, ["node", str(script), authorization], text=True)
    parameters = json.loads(output)
    return AuthorizationCodeResult(code=parameters["code"], state=parameters.get("state"), iss=parameters.get("iss"))


async def recorded(response):
    request = response.request
    names = [request.headers[name] for name in ("mcp-method", "mcp-name") if name in request.headers]
    url = str(request.url).split("?")[0]
    walk.append(" ".join([f"{request.method} {url}", *names, str(response.status_code)]))


async def main():
    metadata = OAuthClientMetadata(
        client_name="the tests",
        application_type="native",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    auth = OAuthClientProvider(ARGUMENT["url"], metadata, Storage(), redirected, called_back)
    async with httpx2.AsyncClient(
        auth=auth, verify=os.environ["NODE_EXTRA_CA_CERTS"], event_hooks={"response": [recorded]}, timeout=60
    ) as http:
        transport = streamable_http_client(ARGUMENT["url"], http_client=http)
        async with Client(transport, mode="2026-07-28") as client:
            listed = [tool.name for tool in (await client.list_tools()).tools]
            said = [(await client.call_tool(name, {})).content[0].text for name in ARGUMENT["tools"]]
    print(json.dumps({"listed": listed, "said": said, "walk": walk, "scopes": scopes}))


asyncio.run(main())
