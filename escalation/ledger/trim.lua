-- Say up to which row a hub has the journal in its files, and forget the rows that every hub of this store has.
-- KEYS: sealed, hashes, journal, filers.
-- ARGV: hub, last row it has, now, the time since when a hub must have said so to be waited for, most rows to forget.
-- Reply: the last row that is no longer in the store; -1 where the hash of the row to forget last is missing.
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
local least = tonumber(ARGV[2])
local hubs = redis.call('HGETALL', KEYS[4])
for i = 1, #hubs, 2 do
  local row, at = string.match(hubs[i + 1], '^(%d+) (%d+)$')
  if tonumber(at) < tonumber(ARGV[4]) then redis.call('HDEL', KEYS[4], hubs[i])
  else least = math.min(least, tonumber(row)) end
end
local filed = tonumber(redis.call('HGET', KEYS[1], 'filed') or '0')
local last = math.min(least, filed + tonumber(ARGV[5]))
if last <= filed then return filed end
local function whole(number) return string.format('%.0f', number) end
local hash = redis.call('HGET', KEYS[2], whole(last))
if not hash then return -1 end
hash = string.gsub(hash, '.', function(byte) return string.format('%02x', string.byte(byte)) end)
redis.call('HSET', KEYS[1], 'filed', whole(last), 'filed_hash', hash)
redis.call('XTRIM', KEYS[3], 'MINID', '0-' .. whole(last + 1))
for number = filed + 1, last do redis.call('HDEL', KEYS[2], whole(number)) end
return last
