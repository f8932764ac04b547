-- Make the store's meta, or read what is there.
-- KEYS: fh:meta.  ARGV: store id, partitions, shards, now.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'store', ARGV[1], 'partitions', ARGV[2], 'shards', ARGV[3], 'created', ARGV[4])
end
return redis.call('HMGET', KEYS[1], 'store', 'partitions', 'shards', 'created')
