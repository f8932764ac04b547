-- Move the chain's head forward, unless somebody else did.
-- KEYS: sealed, hashes.  ARGV: number of the old head, number of the new head, its hash in hex, now, raw hashes of the rows
-- Reply: 1, or 0 where the old head is another.
if (redis.call('HGET', KEYS[1], 'number') or '0') ~= ARGV[1] then return 0 end
local number, hashes = tonumber(ARGV[1]), {}
for i = 5, #ARGV do
  number = number + 1
  hashes[#hashes + 1] = string.format('%.0f', number)
  hashes[#hashes + 1] = ARGV[i]
end
for i = 1, #hashes, 1000 do redis.call('HSET', KEYS[2], unpack(hashes, i, math.min(i + 999, #hashes))) end
redis.call('HSET', KEYS[1], 'number', ARGV[2], 'hash', ARGV[3], 'at', ARGV[4])
return 1
