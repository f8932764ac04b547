-- End every claim: times that end one have a fraction, times to wait for have none.
-- KEYS: due rows or lines.  ARGV: now, the latest time at which a claim may end.  Reply: how many were ended.
local count = 0
local rows = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES')
for i = 1, #rows, 2 do
  if tonumber(rows[i + 1]) % 1 > 0 then
    redis.call('ZADD', KEYS[1], ARGV[1], rows[i])
    count = count + 1
  end
end
return count
