-- A channel rests until a time, never less long than somebody said before.
-- KEYS: rests. ARGV: channel, until.
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if known < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
