-- One incident's change, or one input that touches no incident: every guard stands before the first write, because a
-- script that fails midway keeps what it wrote.
-- KEYS: incidents, versions, index, open, opened, levels, seen, seen_log, due, outbox, outbox_order, outbox_rows,
--   journal, quarantine, dead
-- ARGV: 1 now, 2 code or '', 3 expected version, 4 new version, 5 state, 6 due or '', 7 opened at or '' (closed),
--   8 correlation, 9 index as loaded, 10 index to be or '' (stays), 11 token of rows born claimed or '',
--   12 takes, 13 journal rows, 14 outbox rows, 15 quarantine rows, 16 place of its level or '',
--   17 dead letters, 18 dead letters that are done with, then takes × (input id, body hash, result), journal rows,
--   outbox rows × (line, member, row), quarantine rows × (id, row), dead letters × (id, row), ids of those done with
-- Reply: {'ok', born claimed as '1', in another's hand or free as '0', for each outbox row},
--   {'taken', recorded or nil for each take}, or {'conflict', version now}
local incidents, versions, index, open, opened, levels, seen, seen_log, due, outbox, outbox_order, outbox_rows, journal,
  quarantine, dead = unpack(KEYS)
local call = redis.call
local now, code, token = ARGV[1], ARGV[2], ARGV[11]
local takes, entries, sends, oddities = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])
local letters, buried = tonumber(ARGV[17]), tonumber(ARGV[18])
local takes_end = 18 + 3 * takes

local taken, any = {'taken'}, false
for i = 19, takes_end, 3 do
  local recorded = call('HGET', seen, ARGV[i])
  any = any or recorded
  taken[#taken + 1] = recorded
end
if any then return taken end
local open_before, level_before -- as the incident's last commit left them; nil where it had none
if code ~= '' then
  local version, opened_at, place = string.match(call('HGET', versions, code) or '0', '^(%d+) ?(%S*) ?(%S*)$')
  if version ~= ARGV[3] then return {'conflict', version} end
  if place ~= '' then open_before, level_before = opened_at, place end
end
if ARGV[10] ~= '' and (call('HGET', index, ARGV[8]) or '') ~= ARGV[9] then return {'conflict', '-1'} end

if code ~= '' then
  call('HSET', incidents, code, ARGV[5])
  local is_open = ARGV[7] ~= ''
  call('HSET', versions, code, is_open and table.concat({ARGV[4], ARGV[7], ARGV[16]}, ' ') or ARGV[4])
  if ARGV[6] ~= '' then call('ZADD', due, ARGV[6], code) else call('ZREM', due, code) end
  if is_open then
    if open_before ~= ARGV[7] then call('ZADD', open, ARGV[7], code) end
    if level_before ~= ARGV[16] then call('ZADD', levels, ARGV[16], code) end
  else
    call('ZREM', open, code)
    call('ZREM', levels, code)
  end
  if ARGV[3] == '0' then call('ZADD', opened, ARGV[7] ~= '' and ARGV[7] or now, code) end
end
if ARGV[10] ~= '' then call('HSET', index, ARGV[8], ARGV[10]) end
for i = 19, takes_end, 3 do
  call('HSET', seen, ARGV[i], ARGV[i + 1] .. '\n' .. ARGV[i + 2])
  call('RPUSH', seen_log, now .. '\31' .. ARGV[i])
end
local i = takes_end + 1
for _ = 1, entries do
  call('XADD', journal, '0-*', 'r', ARGV[i])
  i = i + 1
end
local claimed, mine, order, bodies = {'ok'}, {}, {}, {}
for _ = 1, sends do
  local line = ARGV[i]
  if mine[line] == nil then
    mine[line] = false -- a line there was before is in its holder's hand, or free
    if ARGV[3] == '0' and line == code or not call('ZSCORE', outbox, line) then
      call('ZADD', outbox, token ~= '' and token or now, line)
      mine[line] = token ~= ''
    end
  end
  order[#order + 1] = 0
  order[#order + 1] = ARGV[i + 1]
  bodies[#bodies + 1] = ARGV[i + 1]
  bodies[#bodies + 1] = ARGV[i + 2]
  claimed[#claimed + 1] = mine[line] and '1' or '0'
  i = i + 3
end
for from = 1, #order, 1000 do
  local to = math.min(from + 999, #order)
  call('ZADD', outbox_order, unpack(order, from, to))
  call('HSET', outbox_rows, unpack(bodies, from, to))
end
for _ = 1, oddities do
  call('HSET', quarantine, ARGV[i], ARGV[i + 1])
  i = i + 2
end
for _ = 1, letters do
  call('HSET', dead, ARGV[i], ARGV[i + 1])
  i = i + 2
end
for _ = 1, buried do
  call('HDEL', dead, ARGV[i])
  i = i + 1
end
return claimed
