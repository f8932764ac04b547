-- Lift the counters of codes to a floor: what may have been given out before must not be given out again.
-- KEYS: codes.  ARGV: floor, then letters.
for place = 2, #ARGV do
  local kept = tonumber(redis.call('HGET', KEYS[1], ARGV[place]) or '0')
  if kept < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[1])
  end
end
return 1
