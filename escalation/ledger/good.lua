-- When each channel's vendor last took a message; an earlier time than the one known changes nothing.
-- KEYS: good. ARGV: (channel, ms)…
for i = 1, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if known < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1
