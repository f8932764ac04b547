-- Remove the rows of claimed lines that are done with. A line that still has rows (they came meanwhile, or were kept)
-- may be taken again at the time given; an empty one is gone.
-- KEYS: lines, order, rows.  ARGV: (line, token, time, number of members, members…)…
-- Reply for each line: 0 where the claim was no longer the caller's, 1 where the line is gone, 2 where it has rows left.
local reply, i = {}, 1
while i <= #ARGV do
  local line, count = ARGV[i], tonumber(ARGV[i + 3])
  local score = redis.call('ZSCORE', KEYS[1], line)
  local result = 0
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    for j = i + 4, i + 3 + count do
      redis.call('ZREM', KEYS[2], ARGV[j])
      redis.call('HDEL', KEYS[3], ARGV[j])
    end
    local more = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. line .. '\31', '(' .. line .. '\32', 'LIMIT', 0, 1)
    if more[1] then redis.call('ZADD', KEYS[1], ARGV[i + 2], line) else redis.call('ZREM', KEYS[1], line) end
    result = more[1] and 2 or 1
  end
  reply[#reply + 1] = result
  i = i + 4 + count
end
return reply
