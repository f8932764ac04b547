-- What is known for many lookups of one partition; writes nothing.
-- KEYS: seen, index, incidents
-- ARGV: number of lookups, then for each: number of input ids, input ids, correlation or '', code or '' (wins)
-- Reply: for each lookup its recorded results or nil, then the index value or nil, then the state or nil
local seen, index, incidents = KEYS[1], KEYS[2], KEYS[3]
local reply, n, i = {}, 0, 2
for _ = 1, tonumber(ARGV[1]) do
  local ids = tonumber(ARGV[i])
  for j = i + 1, i + ids do
    n = n + 1
    reply[n] = redis.call('HGET', seen, ARGV[j])
  end
  local correlation, code = ARGV[i + ids + 1], ARGV[i + ids + 2]
  local found = code ~= '' and code or redis.call('HGET', index, correlation)
  reply[n + 1] = found
  reply[n + 2] = found and redis.call('HGET', incidents, found) or false -- a tombstone is no incident's code
  n = n + 2
  i = i + ids + 3
end
return reply
