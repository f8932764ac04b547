-- Give claimed due rows back: with another time, or away.
-- KEYS: due.  ARGV: (code, token, time or '')…  Reply: 1 or 0 (the claim was no longer the caller's) for each.
local reply = {}
for i = 1, #ARGV, 3 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  local held = score and tonumber(score) == tonumber(ARGV[i + 1])
  if held then
    if ARGV[i + 2] == '' then redis.call('ZREM', KEYS[1], ARGV[i])
    else redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i]) end
  end
  reply[#reply + 1] = held and 1 or 0
end
return reply
