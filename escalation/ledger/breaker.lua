-- Addresses that are refused again and again: how often in a row, and until when they rest.
-- KEYS: breakers. ARGV: now, how many refusals make it rest, first rest, longest rest,
--   then (mailbox, well (0/1), refusals after that, what was said)…
-- Returns for each until when it rests (0: it does not).
local now, many = tonumber(ARGV[1]), tonumber(ARGV[2])
local reply = {}
for i = 5, #ARGV, 4 do
  local box, well, refusals = ARGV[i], ARGV[i + 1] == '1', tonumber(ARGV[i + 2])
  if well then redis.call('HDEL', KEYS[1], box) end
  local until_ = 0
  if refusals > 0 then
    local raw = redis.call('HGET', KEYS[1], box)
    local h = raw and cjson.decode(raw) or {n = 0, rest = 0, till = 0}
    h.n, h.said, h.at = h.n + refusals, ARGV[i + 3], now
    if h.n >= many and h.till <= now then
      h.rest = math.min(h.rest == 0 and tonumber(ARGV[3]) or h.rest * 2, tonumber(ARGV[4]))
      h.till = now + h.rest
    end
    redis.call('HSET', KEYS[1], box, cjson.encode(h))
    until_ = h.till
  end
  reply[#reply + 1] = until_
end
return reply
