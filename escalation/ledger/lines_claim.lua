-- Claim lines whose time has come, each with all its rows in order: a line is in one hand at a time.
-- A claim that is sent again because its answer was lost has the same token, and is given the same lines.
-- KEYS: lines, order, rows.  ARGV: now, token, limit of lines.
-- Reply: line, number of rows, member, row, member, row …, line …
local lines = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], ARGV[2])
if #lines == 0 then lines = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3]) end
local reply, n = {}, 0
for _, line in ipairs(lines) do
  redis.call('ZADD', KEYS[1], ARGV[2], line)
  local members = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. line .. '\31', '(' .. line .. '\32')
  reply[n + 1] = line
  reply[n + 2] = #members
  n = n + 2
  for _, member in ipairs(members) do
    reply[n + 1] = member
    reply[n + 2] = redis.call('HGET', KEYS[3], member)
    n = n + 2
  end
end
return reply
