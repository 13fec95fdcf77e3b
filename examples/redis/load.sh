#!/bin/sh
# Redis as Traefik's provider: one key for each option, lists by number or with commas, objects as JSON in a text.
#
#   REDIS=127.0.0.1:6379 examples/redis/load.sh

redis() { redis-cli -h "${REDIS%:*}" -p "${REDIS#*:}" "$@" >/dev/null; }
jwt=traefik/http/middlewares/jwt/plugin/jwt

redis set $jwt/issuer https://idp.example.com/
redis set $jwt/jwksUrl https://idp.example.com/.well-known/jwks.json
redis set $jwt/jwksCache/directory /keys/fetched
redis set $jwt/audience/0 orders
redis set $jwt/audience/1 invoices
redis set $jwt/tokenSources/0/header Authorization
redis set $jwt/tokenSources/1/cookie session
redis set $jwt/forwardHeaders/X-User sub
redis set $jwt/tests '[{"name": "for us", "claims": {"aud": "orders"}, "expect": "allow"}]'

redis set traefik/http/routers/orders/rule 'Host(`orders.example.com`)'
redis set traefik/http/routers/orders/middlewares/0 jwt
redis set traefik/http/routers/orders/service orders
redis set traefik/http/services/orders/loadBalancer/servers/0/url "${UPSTREAM:-http://127.0.0.1:9000}"
