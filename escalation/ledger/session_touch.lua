-- A session was used: written only while it is there. KEYS: sessions. ARGV: its name, its new row.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    return 1
end
return 0
