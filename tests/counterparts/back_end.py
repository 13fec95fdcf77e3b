"""What a WSGI application has of a request, by the variable in which it would look: the standard library's way and Flask's."""

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from werkzeug.wrappers import Request


def standard_cookie(environ):
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("a_token")
    except CookieError:
        return None
    return found and found.value


def app(environ, start_response):
    request = Request(environ)

    def header(name):
        variable = "HTTP_" + name.upper().replace("-", "_")
        return {
            f"environ[{variable}]": environ.get(variable),
            f"request.headers[{name}]": request.headers.get(name),
        }

    seen = {
        "headers": header("X-User-Sub"),
        "tokens": header("X-Token"),
        "query": {
            "parse_qs": parse_qs(environ.get("QUERY_STRING", "")).get("a_token"),
            "request.args": request.args.getlist("a_token") or None,
        },
        "cookies": {
            "SimpleCookie": standard_cookie(environ),
            "request.cookies": request.cookies.getlist("a_token") or None,
        },
        "all": {name: value for name, value in environ.items() if isinstance(value, str)},
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]
