-- Claim incidents for which something is owed, earliest first, with their states. A claim that is sent again because its
-- answer was lost has the same token, and is given the same incidents.
-- KEYS: due, incidents.  ARGV: now, token, limit.  Reply: code, state, code, state …
local codes = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], ARGV[2])
if #codes == 0 then codes = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3]) end
local reply = {}
for i, code in ipairs(codes) do
  redis.call('ZADD', KEYS[1], ARGV[2], code)
  reply[2 * i - 1] = code
  reply[2 * i] = redis.call('HGET', KEYS[2], code)
end
return reply
