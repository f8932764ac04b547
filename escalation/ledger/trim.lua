-- Forget journal rows that are safe in a file, unless somebody else did.
-- KEYS: sealed, hashes, journal.  ARGV: last row filed before, last row filed now, its hash in hex.
-- Reply: 1, or 0 where another row was the last one filed.
if (redis.call('HGET', KEYS[1], 'filed') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'filed', ARGV[2], 'filed_hash', ARGV[3])
redis.call('XTRIM', KEYS[3], 'MINID', '0-' .. string.format('%.0f', tonumber(ARGV[2]) + 1))
for number = tonumber(ARGV[1]) + 1, tonumber(ARGV[2]) do
  redis.call('HDEL', KEYS[2], string.format('%.0f', number))
end
return 1
