-- Forget inputs taken before a time, oldest first.  KEYS: seen, seen_log.  ARGV: time, limit.  Reply: how many.
local count = 0
while count < tonumber(ARGV[2]) do
  local oldest = redis.call('LINDEX', KEYS[2], 0)
  if not oldest then break end
  local at, input = string.match(oldest, '^(%d+)\31(.*)$')
  if tonumber(at) >= tonumber(ARGV[1]) then break end
  redis.call('LPOP', KEYS[2])
  redis.call('HDEL', KEYS[1], input)
  count = count + 1
end
return count
