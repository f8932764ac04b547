-- One mailbox: rows in lines (an incident and an urgency), the vendor's windows, claims.
-- KEYS: ready, known, ages (of the shard), rows, line, waiting, later, flying, facts, window, told (of the mailbox)
-- ARGV: operation, mailbox, now, the operation's own
-- A member is  class US subject US created.seq US : class c (critical) or n, subject the incident's code (or !seq for a
-- row without one, #seq for a digest or an overflow), created in 13 digits, seq the mailbox's own counter in 10.
-- Only the first member of a line is ever waiting, later or flying; a digest stands for its members while it exists.
local ready, known, ages, rows, line, waiting, later, flying, facts, window, told = unpack(KEYS)
local operation, mailbox, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local call = redis.call
local CRITICAL = 2 ^ 42 -- more than any time in milliseconds: critical members have negative places
local MARGIN = 10000 -- tokens outlive their window by what hubs' clocks may differ
local FIRST_PAUSE, LONGEST_PAUSE = 100, 5000 -- between normal messages of a flood, in milliseconds

local function parts(member) return string.match(member, '^(.)\31([^\31]*)\31(%d+)%.(%d+)\31') end

local function split(text)
  local found = {}
  for part in string.gmatch(text, '[^\30]+') do found[#found + 1] = part end
  return found
end

local function whole(number) return string.format('%.0f', number) end

local function line_of(member)
  local class, subject = parts(member)
  return class .. '\31' .. subject .. '\31'
end

local function wait(member)
  local class, _, created = parts(member)
  call('ZADD', waiting, whole(class == 'c' and tonumber(created) - CRITICAL or tonumber(created)), member)
end

local function members_of(member) -- of a digest; of a plain row itself; of an overflow none
  local _, subject = parts(member)
  if string.sub(subject, 1, 1) ~= '#' then return {member} end
  local frozen = call('HGET', facts, 'd:' .. member)
  return frozen and split(frozen) or {}
end

local function is_digest(member) return string.sub(member, 1, 3) == 'n\31#' end
local function is_overflow(member) return string.sub(member, 1, 3) == 'c\31#' end

local function in_flight(member) -- whether another send about one of its incidents is under way
  for _, one in ipairs(members_of(member)) do
    local _, subject = parts(one)
    if call('HEXISTS', facts, 'f:' .. subject) == 1 then return true end
  end
  return false
end

local function fly(member, token, id, limited)
  call('ZREM', waiting, member)
  call('ZADD', flying, token, member)
  call('HSET', facts, 'o:' .. member, id)
  for _, one in ipairs(members_of(member)) do
    local _, subject = parts(one)
    if string.sub(subject, 1, 1) ~= '!' then call('HSET', facts, 'f:' .. subject, 1) end
  end
  if limited then call('ZADD', window, whole(now), token .. '\31' .. member) end
end

local function land(member)
  call('ZREM', flying, member)
  call('HDEL', facts, 'o:' .. member)
  for _, one in ipairs(members_of(member)) do
    local _, subject = parts(one)
    if string.sub(subject, 1, 1) ~= '!' then call('HDEL', facts, 'f:' .. subject) end
  end
end

local function tried(member, lapsed) -- count a send of the member; lapsed: nobody knows how it ended
  local before = split(string.gsub(call('HGET', facts, 't:' .. member) or '0 0', ' ', '\30'))
  call('HSET', facts, 't:' .. member, (before[1] + 1) .. ' ' .. (before[2] + (lapsed and 1 or 0)))
end

local function end_claim(member) -- nobody knows how its send ended
  land(member)
  if is_overflow(member) then
    call('HDEL', facts, 'overflow') -- its rows are still waiting; another one is made if they still have to
  else
    tried(member, true)
    wait(member)
  end
end

local function revive() -- what came due: claims that ran out, rows that waited
  for _, member in ipairs(call('ZRANGEBYSCORE', flying, '-inf', whole(now))) do end_claim(member) end
  for _, member in ipairs(call('ZRANGEBYSCORE', later, '-inf', whole(now), 'LIMIT', 0, 1000)) do
    call('ZREM', later, member)
    wait(member)
  end
end

local function place(member, not_before) -- the first of its line: to wait, now or until its time
  if not_before and tonumber(not_before) > now then call('ZADD', later, not_before, member) else wait(member) end
end

local function age(member) return mailbox .. '\30' .. member end

local function remove(member)
  call('HDEL', rows, member)
  call('ZREM', line, member)
  call('ZREM', ages, age(member))
  call('HDEL', facts, 't:' .. member, 'b:' .. member)
  local own = line_of(member)
  local next_one = call('ZRANGEBYLEX', line, '[' .. own, '(' .. own .. '\255', 'LIMIT', 0, 1)[1]
  if next_one then place(next_one, call('HGET', facts, 'b:' .. next_one)) end
end

local function look_at(times) -- enter the mailbox among the ready for the earliest of the times, or take it out
  local at = nil
  for _, time in pairs(times) do at = math.min(at or time, time) end
  local hold = tonumber(call('HGET', facts, 'hold') or '0')
  if not at then call('ZREM', ready, mailbox) return end
  call('ZADD', ready, whole(math.max(at, hold)), mailbox)
end

local function first_score(zset)
  local first = call('ZRANGE', zset, 0, 0, 'WITHSCORES')
  return first[2] and math.ceil(tonumber(first[2])) or nil
end

local function look_soon()
  local wait = call('ZCARD', waiting) > 0 and now or nil
  look_at({wait = wait, later = first_score(later), flight = first_score(flying)})
end

local function put(from, to) -- told cut, then (outbox id, critical as c or n, incident, created, not before, row)…
  local cut = ARGV[from]
  for i = from + 1, to, 6 do
    local new = call('ZADD', known, 'NX', whole(now), ARGV[i])
    if new == 1 then
      local seq = call('HINCRBY', facts, 'seq', 1)
      local subject = ARGV[i + 2] ~= '' and ARGV[i + 2] or '!' .. seq
      local own = ARGV[i + 1] .. '\31' .. subject .. '\31'
      local member = string.format('%s%013d.%010d\31', own, ARGV[i + 3], seq)
      local first = #call('ZRANGEBYLEX', line, '[' .. own, '(' .. own .. '\255', 'LIMIT', 0, 1) == 0
      call('ZADD', line, 0, member)
      call('HSET', rows, member, ARGV[i + 5])
      if tonumber(ARGV[i + 4]) > now then call('HSET', facts, 'b:' .. member, ARGV[i + 4]) end
      local since = math.max(tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]))
      call('ZADD', ages, whole(ARGV[i + 1] == 'c' and since - CRITICAL or since), age(member))
      if first then place(member, ARGV[i + 4]) end
      if ARGV[i + 2] ~= '' then call('ZADD', told, 'GT', whole(now), ARGV[i + 2]) end
    end
  end
  call('ZREMRANGEBYSCORE', told, '-inf', cut)
end

local function gather(low, high, wanted, plain) -- waiting members free to go, in order; plain: no frozen digests
  local found, offset = {}, 0
  while #found < wanted do
    local page = call('ZRANGEBYSCORE', waiting, low, high, 'LIMIT', offset, math.min(wanted + 16, 1000))
    if #page == 0 then break end
    offset = offset + #page
    for _, member in ipairs(page) do
      if #found < wanted and not in_flight(member) and not (plain and is_digest(member)) then
        found[#found + 1] = member
      end
    end
  end
  return found
end

local function claim(from) -- token, at once, reserve, digest size, the claim's id, unpaced, then (count, per)…
  local token, room = ARGV[from], tonumber(ARGV[from + 1])
  local reserve, digest, id = tonumber(ARGV[from + 2]), tonumber(ARGV[from + 3]), ARGV[from + 4]
  local unpaced = tonumber(ARGV[from + 5])
  local reply = {}
  local function give(kind, member, carried)
    reply[#reply + 1] = kind
    reply[#reply + 1] = member
    local known_of = call('HMGET', facts, 't:' .. member, 'z:' .. member)
    reply[#reply + 1] = known_of[1] or '0 0'
    reply[#reply + 1] = known_of[2] or ''
    reply[#reply + 1] = #carried
    for _, one in ipairs(carried) do reply[#reply + 1] = call('HGET', rows, one) end
  end
  for _, member in ipairs(call('ZRANGEBYSCORE', flying, token, token)) do
    local same = call('HGET', facts, 'o:' .. member) == id -- its answer was lost: the same again
    if same and is_overflow(member) then give('overflow', member, call('ZRANGEBYSCORE', waiting, '-inf', '(0'))
    elseif same then give(is_digest(member) and 'digest' or 'single', member, members_of(member)) end
  end
  if #reply > 0 then look_soon() return reply end
  local hold = tonumber(call('HGET', facts, 'hold') or '0')
  if hold > now then look_soon() return {} end
  revive()
  room = room - call('ZCARD', flying)

  local limits, left, usable, shortest, longest, sent = {}, math.huge, math.huge, nil, nil, 0
  for i = from + 6, #ARGV, 2 do
    local count, per = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    local used = call('ZCOUNT', window, '(' .. whole(now - per), '+inf')
    if not shortest or per < shortest then sent = used end
    local kept = math.min(reserve, count - 1)
    limits[#limits + 1] = {count = count, per = per, kept = kept}
    left, usable = math.min(left, count - used), math.min(usable, count - kept - used)
    shortest, longest = math.min(shortest or per, per), math.max(longest or per, per)
  end
  local limited = #limits > 0
  if limited then call('ZREMRANGEBYSCORE', window, '-inf', whole(now - longest - MARGIN)) end

  local paced = limited and digest > 1 and unpaced > 0
  local function pace_at() -- when the next normal message of a flood may go: each waits twice as long as the one before
    if not paced or sent < unpaced then return now end
    local last = call('ZREVRANGE', window, 0, 0, 'WITHSCORES')[2]
    return tonumber(last) + math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ math.min(sent - unpaced, 16))
  end

  local function hand_out(kind, member, carried)
    give(kind, member, carried)
    fly(member, token, id, limited)
    room, left, usable, sent = room - 1, left - 1, usable - 1, sent + 1
  end
  local function overflow() -- the last token, several critical rows wait, and one of them was in no overflow yet
    local all = call('ZRANGEBYSCORE', waiting, '-inf', '(0')
    if #all < 2 then return false end
    local last = split(string.gsub(call('HGET', facts, 'overflow') or '0 0', ' ', '\30'))
    if now - tonumber(last[2]) < shortest then return false end
    local new = false
    for _, member in ipairs(all) do
      local _, _, _, seq = parts(member)
      new = new or tonumber(seq) > tonumber(last[1])
    end
    if not new then return false end
    local seq = call('HINCRBY', facts, 'seq', 1)
    call('HSET', facts, 'overflow', seq .. ' ' .. whole(now))
    hand_out('overflow', string.format('c\31#%d\31%013.0f.%010d\31', seq, now, seq), all)
    return true
  end

  if room > 0 and left > 0 then
    for _, member in ipairs(gather('-inf', '(0', math.min(room, left))) do
      if room <= 0 or left <= 0 or (left == 1 and overflow()) then break end
      hand_out('single', member, {member})
    end
  end
  if room > 0 and usable > 0 and pace_at() <= now then
    local singly = paced and math.min(usable, math.max(unpaced - sent, 1)) or usable
    local merge = digest > 1 and call('ZCOUNT', waiting, 0, '+inf') > singly
    for _, member in ipairs(gather(0, '+inf', math.min(room, singly))) do
      if is_digest(member) then
        hand_out('digest', member, members_of(member))
      elseif merge then
        merge = false
        local members = gather(0, '+inf', digest, true)
        if #members > 1 then
          local seq = call('HINCRBY', facts, 'seq', 1)
          local _, _, created = parts(members[1])
          local whole_one = string.format('n\31#%d\31%s.%010d\31', seq, created, seq)
          call('HSET', facts, 'd:' .. whole_one, table.concat(members, '\30'))
          call('ZREM', waiting, unpack(members))
          hand_out('digest', whole_one, members)
          break
        end
        hand_out('single', member, {member})
      else
        hand_out('single', member, {member})
      end
    end
  end

  local times = {later = first_score(later), flight = first_score(flying)}
  local critical, normal = false, false
  if call('ZCARD', waiting) > 0 then
    critical, normal = call('ZCOUNT', waiting, '-inf', '(0') > 0, call('ZCOUNT', waiting, 0, '+inf') > 0
  end
  local function token_at(keep_back) -- when every window has a token (again)
    local at = now
    for _, limit in ipairs(limits) do
      local since = '(' .. whole(now - limit.per)
      local allowed = limit.count - (keep_back and limit.kept or 0)
      local used = call('ZCOUNT', window, since, '+inf')
      if used >= allowed then
        local entry = call('ZRANGEBYSCORE', window, since, '+inf', 'WITHSCORES', 'LIMIT', used - allowed, 1)
        at = math.max(at, tonumber(entry[2]) + limit.per)
      end
    end
    return at
  end
  if room > 0 then -- else a settle, or the end of a claim, lets the next one go
    if critical and (left <= 0 or #gather('-inf', '(0', 1) > 0) then times.critical = token_at(false) end
    if normal and (usable <= 0 or #gather(0, '+inf', 1) > 0) then
      times.normal = math.max(token_at(true), pace_at())
    end
  end
  look_at(times)
  return reply
end

local function release() -- of one hub, or '' for all: whoever held these claims is gone for certain
  local count, owner = 0, ARGV[4] .. '\31'
  for _, member in ipairs(call('ZRANGE', flying, 0, -1)) do
    local id = call('HGET', facts, 'o:' .. member) or ''
    if owner == '\31' or string.sub(id, 1, #owner) == owner then end_claim(member) count = count + 1 end
  end
  look_soon()
  return count
end

local function settle(from, to) -- (member, token, again at or '' when done, 1 if tried, 2 if its answer was lost)…
  local reply = {}
  for i = from, to, 4 do
    local member, again = ARGV[i], ARGV[i + 2]
    local score = call('ZSCORE', flying, member)
    local held = score and tonumber(score) == tonumber(ARGV[i + 1])
    if held then
      local members = members_of(member)
      land(member)
      if is_overflow(member) then
        if again ~= '' then call('HDEL', facts, 'overflow') end
      elseif again ~= '' then
        if ARGV[i + 3] ~= '0' then tried(member, ARGV[i + 3] == '2') end
        call('ZADD', later, again, member)
      else
        if members[1] ~= member then call('HDEL', facts, 'd:' .. member, 'z:' .. member, 't:' .. member) end
        for _, one in ipairs(members) do remove(one) end
      end
    end
    reply[#reply + 1] = held and 1 or 0
  end
  return reply
end

local function turn() -- arguments of settle, arguments of put, settle's, put's, and claim's if there are any
  local settled, came = tonumber(ARGV[4]), tonumber(ARGV[5])
  local first_put = 6 + settled
  local reply = {settle(6, 5 + settled), {}}
  if came > 0 then put(first_put, first_put + came - 1) end
  if #ARGV >= first_put + came then reply[2] = claim(first_put + came) else look_soon() end
  return reply
end

local function freeze() -- member, token, bytes: what a digest says, once; later calls get what was frozen
  -- then the places of those of its members that do not stand in the bytes: they wait for a message of their own
  local score = call('ZSCORE', flying, ARGV[4])
  if not score or tonumber(score) ~= tonumber(ARGV[5]) then return false end
  if call('HSETNX', facts, 'z:' .. ARGV[4], ARGV[6]) == 1 and #ARGV > 6 then
    local gone, kept = {}, {}
    for i = 7, #ARGV do gone[tonumber(ARGV[i])] = true end
    for i, one in ipairs(members_of(ARGV[4])) do
      if gone[i] then
        local _, subject = parts(one)
        call('HDEL', facts, 'f:' .. subject)
        wait(one)
      else
        kept[#kept + 1] = one
      end
    end
    call('HSET', facts, 'd:' .. ARGV[4], table.concat(kept, '\30'))
    look_soon()
  end
  return call('HGET', facts, 'z:' .. ARGV[4])
end

local function more() -- member, token, how many, reserve, then (count, per)…: further tokens for a claim under way
  local score = call('ZSCORE', flying, ARGV[4])
  if not score or tonumber(score) ~= tonumber(ARGV[5]) then return 0 end
  local wanted, reserve = tonumber(ARGV[6]), tonumber(ARGV[7])
  local critical = string.sub(ARGV[4], 1, 1) == 'c'
  local waits = critical and call('ZCOUNT', waiting, '-inf', '(0') or call('ZCARD', waiting)
  for i = 8, #ARGV, 2 do
    local count, per = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    local kept = critical and 0 or math.min(reserve, count - 1)
    local used = call('ZCOUNT', window, '(' .. whole(now - per), '+inf')
    if count - kept - used - waits < wanted then return 0 end -- what waits to be told goes before
  end
  for i = 1, wanted do call('ZADD', window, whole(now), ARGV[5] .. '\31' .. ARGV[4] .. '\31' .. i) end
  return 1
end

local function hold() -- until, 1 where a hold that is there already and ends later stays
  if ARGV[5] ~= '1' or tonumber(call('HGET', facts, 'hold') or '0') < tonumber(ARGV[4]) then
    call('HSET', facts, 'hold', ARGV[4])
  end
  look_soon()
  return 1
end

local function figures() -- critical, normal, under way, held until, oldest critical and normal still here or ''
  local oldest = {c = '', n = ''}
  local function weigh(members) -- a line's first row is its oldest, and it is in one of these three
    for _, member in ipairs(members) do
      local class, _, created = parts(member)
      if not is_overflow(member) and (oldest[class] == '' or created < oldest[class]) then oldest[class] = created end
    end
  end
  weigh(call('ZRANGEBYSCORE', waiting, '-inf', '(0', 'LIMIT', 0, 1))
  weigh(call('ZRANGEBYSCORE', waiting, 0, '+inf', 'LIMIT', 0, 1))
  weigh(call('ZRANGE', flying, 0, -1))
  weigh(call('ZRANGE', later, 0, -1))
  return {
    call('ZLEXCOUNT', line, '[c', '(d'), call('ZLEXCOUNT', line, '[n', '(o'), call('ZCARD', flying),
    call('HGET', facts, 'hold') or '0', oldest.c, oldest.n,
  }
end

local all = {turn = turn, freeze = freeze, more = more, hold = hold, figures = figures, release = release}
return all[operation]()
