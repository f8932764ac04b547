-- How a channel fares, for all hubs: failures in a row, since when it counts as broken, and what was told of it.
-- KEYS: health. ARGV: channel, now, then either
--   'sends', answered (0/1), taken (0/1), failures after that, broken for certain (0/1), whose address, several or
--     its only one (0/1), what was said; how many failures make it broken, over which span, over which where one
--     address alone fails, and the quiet time after it healed. Returns when it broke and when what is well again had
--     broken (0: nothing to tell), and since when it fails.
--   'told', when it broke, 'broken' or 'healed'.
local now = tonumber(ARGV[2])
local raw = redis.call('HGET', KEYS[1], ARGV[1])
local h = raw and cjson.decode(raw) or {n = 0, since = 0, who = '', many = 0, broken = 0, told = 0, healing = 0, back = 0}
local broke, healed, quiet = 0, 0, 0
if ARGV[3] == 'told' then
  local which = tonumber(ARGV[4])
  if ARGV[5] == 'broken' and h.broken == which then h.told = 1 end
  if ARGV[5] == 'healed' and h.healing == which then h.healing = 0 end
else
  local failures, certain = tonumber(ARGV[6]), ARGV[7] == '1'
  quiet = tonumber(ARGV[14])
  if ARGV[4] == '1' then h.n = 0 end
  if ARGV[5] == '1' and h.broken > 0 then
    if h.told == 1 then h.healing = h.broken end
    h.broken, h.told, h.back = 0, 0, now
  end
  if failures > 0 then
    if h.n == 0 then h.since, h.who, h.many = now, ARGV[8], 0 end
    if h.who ~= ARGV[8] or ARGV[9] == '1' then h.many = 1 end
    h.n = h.n + failures
    h.sure = certain and 1 or 0
    local span = tonumber(h.many == 1 and ARGV[12] or ARGV[13])
    if h.broken == 0 and (certain or (h.n >= tonumber(ARGV[11]) and now - h.since >= span)) then
      h.broken, h.said = now, ARGV[10]
    end
  end
  if h.broken > 0 and h.told == 0 and (h.back == 0 or now - h.back >= quiet) then broke = h.broken end
  healed = h.healing
end
if h.n == 0 and h.broken == 0 and h.healing == 0 and quiet > 0 and now - h.back >= quiet then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(h))
end
return {broke, healed, h.since}
