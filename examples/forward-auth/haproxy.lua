-- Asks whether a request may pass: the answer is 200 with the identity, or the refusal for the client.

local address = "http://127.0.0.1:8031/api"
-- Every header of forwardHeaders, forwardPayloadHeader and verdictHeader.request, in small letters.
local identity = { "x-user-sub", "x-user-email" }

-- What belongs to one connection, or to a body that is not asked about.
local own = {}
for _, name in ipairs({
  "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
  "upgrade",
}) do
  own[name] = true
end

-- The headers but those, as lists that begin at 1.
local function passing(headers)
  local passed = {}
  for name, lines in pairs(headers) do
    if not own[name] then
      passed[name] = {}
      for at = lines[0] and 0 or 1, #lines do
        table.insert(passed[name], lines[at])
      end
    end
  end
  return passed
end

core.register_action("signed_in", { "http-req" }, function(transaction)
  local headers = passing(transaction.http:req_get_headers())
  local secure = transaction.f:ssl_fc()
  -- All four, always: what is not set here comes from the client.
  headers["x-forwarded-method"] = { transaction.sf:method() }
  headers["x-forwarded-proto"] = { (secure == 1 or secure == true) and "https" or "http" }
  headers["x-forwarded-host"] = { transaction.sf:req_hdr("host") }
  headers["x-forwarded-uri"] = { transaction.sf:pathq() }

  local answer = core.httpclient():get({ url = address, headers = headers, timeout = 10000 })
  if answer and answer.status == 200 then
    for _, name in ipairs(identity) do
      transaction.http:req_del_header(name)
      for _, value in pairs(answer.headers[name] or {}) do
        transaction.http:req_add_header(name, value)
      end
    end
    return
  end

  local reply = transaction:reply({ status = 503 })
  -- Without an answer the status is 0.
  if answer and answer.status >= 300 then
    reply:set_status(answer.status)
    reply:set_body(answer.body)
    for name, lines in pairs(passing(answer.headers)) do
      for _, value in ipairs(lines) do
        reply:add_header(name, value)
      end
    end
  end
  transaction:done(reply)
end)
