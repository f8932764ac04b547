-- What every script of a mailbox begins with: its keys, its members' names, and the steps that more than one takes.
-- KEYS: ready, known, ages (of the shard), rows, line, waiting, later, flying, facts, window, told (of the mailbox)
-- ARGV: operation, mailbox, now, the operation's own
-- A member is  class US subject US created.seq US : class c (critical) or n, subject the incident's code (or !seq for a
-- row without one, #seq for a digest or an overflow), created in 13 digits, seq the mailbox's own counter in 10.
-- Only the first member of a line is ever waiting, later or flying; a digest stands for its members while it exists.
local ready, known, ages, rows, line, waiting, later, flying, facts, window, told = unpack(KEYS)
local operation, mailbox, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local call = redis.call
local CRITICAL = 2 ^ 42 -- more than any time in milliseconds: critical members have negative places
local AT_ONCE = 1000 -- values in one call: Lua's stack holds some thousands; an even number, for pairs

local function many(command, key, values) -- one call for all of them: a call costs far more than a value
  for i = 1, #values, AT_ONCE do call(command, key, unpack(values, i, math.min(i + AT_ONCE - 1, #values))) end
end

local function all_of(command, key, names) -- what is known of each; false where nothing is
  local found = {}
  for i = 1, #names, AT_ONCE do
    for _, one in ipairs(call(command, key, unpack(names, i, math.min(i + AT_ONCE - 1, #names)))) do
      found[#found + 1] = one
    end
  end
  return found
end

local function parts(member) return string.match(member, '^(.)\31([^\31]*)\31(%d+)%.(%d+)\31') end

local function split(text)
  local found = {}
  for part in string.gmatch(text, '[^\30]+') do found[#found + 1] = part end
  return found
end

local function whole(number) return string.format('%.0f', number) end

local function place_of(member) -- among the waiting
  local class, _, created = parts(member)
  return whole(class == 'c' and tonumber(created) - CRITICAL or tonumber(created))
end

local function wait(member) call('ZADD', waiting, place_of(member), member) end

local function members_of(member) -- of a digest; of a plain row itself; of an overflow none
  local _, subject = parts(member)
  if string.sub(subject, 1, 1) ~= '#' then return {member} end
  local frozen = call('HGET', facts, 'd:' .. member)
  return frozen and split(frozen) or {}
end

local function is_digest(member) return string.sub(member, 1, 3) == 'n\31#' end
local function is_overflow(member) return string.sub(member, 1, 3) == 'c\31#' end

local function subjects_of(members) -- of which no other send may be under way; a row without an incident has none
  local found = {}
  for _, one in ipairs(members) do
    local _, subject = parts(one)
    if string.sub(subject, 1, 1) ~= '!' then found[#found + 1] = 'f:' .. subject end
  end
  return found
end

local function tried(member, lapsed) -- count a send of the member; lapsed: nobody knows how it ended
  local before = split(string.gsub(call('HGET', facts, 't:' .. member) or '0 0', ' ', '\30'))
  call('HSET', facts, 't:' .. member, (before[1] + 1) .. ' ' .. (before[2] + (lapsed and 1 or 0)))
end

local function end_claim(member) -- nobody knows how its send ended
  call('ZREM', flying, member)
  call('HDEL', facts, 'o:' .. member, unpack(subjects_of(members_of(member))))
  if is_overflow(member) then
    call('HDEL', facts, 'overflow') -- its rows are still waiting; another one is made if they still have to
  else
    tried(member, true)
    wait(member)
  end
end

local function held_until() return tonumber(call('HGET', facts, 'hold') or '0') end

local function look_at(times, hold) -- enter the mailbox among the ready for the earliest of the times, or take it out
  local at = nil
  for _, time in pairs(times) do at = math.min(at or time, time) end
  if not at then call('ZREM', ready, mailbox) return end
  call('ZADD', ready, whole(math.max(at, hold or held_until())), mailbox)
end

local function first_score(zset)
  local first = call('ZRANGE', zset, 0, 0, 'WITHSCORES')
  return first[2] and math.ceil(tonumber(first[2])) or nil
end

local function look_soon()
  local wait = call('ZCARD', waiting) > 0 and now or nil
  look_at({wait = wait, later = first_score(later), flight = first_score(flying)})
end

