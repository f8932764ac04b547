-- Take a row out of the quarantine with the journal's row that says who did it and why. Every guard stands before the
-- first write.
-- KEYS: quarantine, seen, seen_log, journal
-- ARGV: 1 row id, 2 input id of this release, 3 now, 4 journal row
-- Reply: 1 when this release took it (also when it is run again), 0 when the row is gone
local quarantine, seen, seen_log, journal = unpack(KEYS)
local call = redis.call
if call('HEXISTS', seen, ARGV[2]) == 1 then return 1 end
if call('HEXISTS', quarantine, ARGV[1]) == 0 then return 0 end
call('HDEL', quarantine, ARGV[1])
call('HSET', seen, ARGV[2], '\n')
call('RPUSH', seen_log, ARGV[3] .. '\31' .. ARGV[2])
call('XADD', journal, '0-*', 'r', ARGV[4])
return 1
