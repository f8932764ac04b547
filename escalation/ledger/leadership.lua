-- Takes or keeps the lease of one duty among hubs.
-- KEYS: the lease. ARGV: owner, now, until. Gives 1 when the owner holds it until then.
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > tonumber(ARGV[2]) then
    return 0
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', ARGV[3])
return 1
