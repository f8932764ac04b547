-- What is on its way to the other hubs. KEYS: offered, had and bytes of one file. ARGV: what, the file's path, and more.
-- offer: row · piece: offset, bytes · had: hub · drop. A piece, or a hub that has it, of a file that is not (or no more)
-- offered changes nothing.
local what, path = ARGV[1], ARGV[2]
if what == 'offer' then return redis.call('HSETNX', KEYS[1], path, ARGV[3]) end
if redis.call('HEXISTS', KEYS[1], path) == 0 then return 0 end
if what == 'piece' then
  redis.call('SETRANGE', KEYS[3], ARGV[3], ARGV[4])
elseif what == 'had' then
  redis.call('SADD', KEYS[2], ARGV[3])
else
  redis.call('HDEL', KEYS[1], path)
  redis.call('DEL', KEYS[2], KEYS[3])
end
return 1
