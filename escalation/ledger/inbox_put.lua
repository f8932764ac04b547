-- Keep replies that are new. KEYS: inbox, inbox_order, inbox_rows, inbox_seen.
-- ARGV: now, then (id, line, row)…  Reply: 1 (kept) or 0 (came before) for each.
local now, reply = ARGV[1], {}
for i = 2, #ARGV, 3 do
  local line = ARGV[i + 1]
  local new = redis.call('ZADD', KEYS[4], 'NX', now, ARGV[i])
  if new == 1 then
    local last = redis.call('ZREVRANGEBYLEX', KEYS[2], '(' .. line .. '\32', '[' .. line .. '\31', 'LIMIT', 0, 1)[1]
    local place = last and tonumber(string.sub(last, #line + 2, #line + 11)) + 1 or 1
    local member = line .. '\31' .. string.format('%010d', place) .. '\31' .. ARGV[i]
    redis.call('ZADD', KEYS[2], 0, member)
    redis.call('HSET', KEYS[3], member, ARGV[i + 2])
    redis.call('ZADD', KEYS[1], 'NX', now, line)
  end
  reply[#reply + 1] = new
end
return reply
