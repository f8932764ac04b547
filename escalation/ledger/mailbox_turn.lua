-- A mailbox's turn: say how claims ended, put new rows, claim what may be sent; follows mailbox_parts.lua.
-- ARGV from 4: arguments of settle, arguments of put, settle's, put's, and claim's if there are any
-- Reply: for each settlement whether the claim was still the caller's, what was claimed, and which of the rows were not
-- put, by their places from 1. Each of the three gathers what it will write, and asks and writes once for all its members.
local MARGIN = 10000 -- tokens outlive their window by what hubs' clocks may differ
local FIRST_PAUSE, LONGEST_PAUSE = 100, 5000 -- between normal messages of a flood, in milliseconds

local function line_of(member)
  local class, subject = parts(member)
  return class .. '\31' .. subject .. '\31'
end

local function first_of(own) -- the first row of a line that is not being put this moment
  return call('ZRANGEBYLEX', line, '[' .. own, '(' .. own .. '\255', 'LIMIT', 0, 1)[1]
end

local function age(member) return mailbox .. '\30' .. member end

local function place(members) -- (member, not before)…, each the first of its line: to wait, now or until its time
  local soon, then_ = {}, {}
  for i = 1, #members, 2 do
    local member, not_before = members[i], members[i + 1]
    if not_before and tonumber(not_before) > now then
      then_[#then_ + 1] = not_before
      then_[#then_ + 1] = member
    else
      soon[#soon + 1] = place_of(member)
      soon[#soon + 1] = member
    end
  end
  many('ZADD', waiting, soon)
  many('ZADD', later, then_)
end

local function remove(gone) -- rows that are done with; the next of each line takes its place
  if #gone == 0 then return end
  local aged = {}
  for _, member in ipairs(gone) do aged[#aged + 1] = age(member) end
  many('HDEL', rows, gone)
  many('ZREM', line, gone)
  many('ZREM', ages, aged)
  if #gone > 1 and call('ZCARD', line) == 0 then return end
  local firsts = {}
  for _, member in ipairs(gone) do
    local next_one = first_of(line_of(member))
    if next_one then
      firsts[#firsts + 1] = next_one
      firsts[#firsts + 1] = call('HGET', facts, 'b:' .. next_one)
    end
  end
  place(firsts)
end

local function settle(from, to) -- (member, token, again at or '' when done, 1 if tried, 2 if its answer was lost)…
  local reply, asked, once = {}, {}, {}
  for i = from, to, 4 do asked[#asked + 1] = ARGV[i] end
  local landed, forgotten, again_at, gone = {}, {}, {}, {}
  for n, score in ipairs(all_of('ZMSCORE', flying, asked)) do
    local i = from + 4 * n - 4
    local member, again = ARGV[i], ARGV[i + 2]
    local held = score and not once[member] and tonumber(score) == tonumber(ARGV[i + 1])
    if held then
      once[member] = true
      local members = members_of(member)
      landed[#landed + 1] = member
      forgotten[#forgotten + 1] = 'o:' .. member
      for _, subject in ipairs(subjects_of(members)) do forgotten[#forgotten + 1] = subject end
      if is_overflow(member) then
        if again ~= '' then forgotten[#forgotten + 1] = 'overflow' end
      elseif again ~= '' then
        if ARGV[i + 3] ~= '0' then tried(member, ARGV[i + 3] == '2') end
        again_at[#again_at + 1] = again
        again_at[#again_at + 1] = member
      else
        if members[1] ~= member then
          for _, fact in ipairs({'d:', 'z:', 't:'}) do forgotten[#forgotten + 1] = fact .. member end
        end
        for _, one in ipairs(members) do
          gone[#gone + 1] = one
          forgotten[#forgotten + 1] = 't:' .. one
          forgotten[#forgotten + 1] = 'b:' .. one
        end
      end
    end
    reply[n] = held and 1 or 0
  end
  many('ZREM', flying, landed)
  many('HDEL', facts, forgotten)
  many('ZADD', later, again_at)
  remove(gone)
  return reply
end

local function moved(i) -- take the row out of its outbox, by the number of the outbox's first key; whether it was there
  local n, member = tonumber(ARGV[i + 6]), string.match(ARGV[i], '^%d+\31(.*)$')
  if call('HDEL', KEYS[n + 2], member) == 0 then return false end
  call('ZREM', KEYS[n + 1], member)
  local own = string.match(member, '^[^\31]*')
  local more = call('ZRANGEBYLEX', KEYS[n + 1], '[' .. own .. '\31', '(' .. own .. '\32', 'LIMIT', 0, 1)
  if not more[1] then call('ZREM', KEYS[n], own) end
  return true
end

local function new_among(from, to) -- where those rows stand in ARGV that were never put before, each once
  local ids, fresh, once, absent = {}, {}, {}, {}
  for i = from, to, 7 do ids[#ids + 1] = ARGV[i] end
  for n, score in ipairs(all_of('ZMSCORE', known, ids)) do
    local i = from + 7 * n - 7
    if ARGV[i + 6] ~= '' and not moved(i) and not score then
      absent[#absent + 1] = n
    elseif not score and not once[ids[n]] then
      once[ids[n]] = true
      fresh[#fresh + 1] = i
    end
  end
  return fresh, absent
end

-- told cut, then (outbox id, critical as c or n, incident, created, not before, row, the number of its outbox's keys or
-- '')…: a row with an outbox moves from there, else it is put where it is not known. Gives back which are not there.
local function put(from, to)
  local fresh, absent = new_among(from + 1, to)
  if #fresh > 0 then
    local seq = call('HINCRBY', facts, 'seq', #fresh) - #fresh
    local empty, begun = #fresh > 1 and call('ZCARD', line) == 0, {}
    local kept, lined, contents, held, aged, firsts, codes = {}, {}, {}, {}, {}, {}, {}
    local function add(list, one, other)
      list[#list + 1] = one
      list[#list + 1] = other
    end
    for _, i in ipairs(fresh) do
      local class, incident, created, not_before = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
      seq = seq + 1
      local own = class .. '\31' .. (incident ~= '' and incident or '!' .. seq) .. '\31'
      local member = string.format('%s%013d.%010d\31', own, created, seq)
      local first = incident == '' or not begun[own] and (empty or not first_of(own))
      begun[own] = true
      add(kept, whole(now), ARGV[i])
      add(lined, 0, member)
      add(contents, member, ARGV[i + 5])
      if tonumber(not_before) > now then add(held, 'b:' .. member, not_before) end
      local since = math.max(tonumber(created), tonumber(not_before))
      add(aged, whole(class == 'c' and since - CRITICAL or since), age(member))
      if first then add(firsts, member, not_before) end
      if incident ~= '' then add(codes, whole(now), incident) end
    end
    many('ZADD', known, kept)
    many('ZADD', line, lined)
    many('HSET', rows, contents)
    many('HSET', facts, held)
    many('ZADD', ages, aged)
    place(firsts)
    for i = 1, #codes, AT_ONCE do
      call('ZADD', told, 'GT', unpack(codes, i, math.min(i + AT_ONCE - 1, #codes)))
    end
  end
  call('ZREMRANGEBYSCORE', told, '-inf', ARGV[from])
  return absent
end

local function revive() -- rows that waited and came due; when the next of them does
  local next_at = first_score(later)
  if not next_at or next_at > now then return next_at end
  local due = call('ZRANGEBYSCORE', later, '-inf', whole(now), 'LIMIT', 0, 1000)
  local waits = {}
  for _, member in ipairs(due) do
    waits[#waits + 1] = place_of(member)
    waits[#waits + 1] = member
  end
  many('ZREM', later, due)
  many('ZADD', waiting, waits)
  return first_score(later)
end

local function free(members) -- those of them about whose incidents no other send is under way
  local names, owner = {}, {}
  for n, member in ipairs(members) do
    for _, subject in ipairs(subjects_of(members_of(member))) do
      names[#names + 1] = subject
      owner[#owner + 1] = n
    end
  end
  local busy, found = {}, {}
  for i, under_way in ipairs(all_of('HMGET', facts, names)) do
    if under_way then busy[owner[i]] = true end
  end
  for n, member in ipairs(members) do
    if not busy[n] then found[#found + 1] = member end
  end
  return found
end

local function gather(low, high, wanted, plain) -- waiting members free to go, in order; plain: no frozen digests
  local found, offset = {}, 0
  while #found < wanted do
    local size = math.min(wanted + 16, 1000)
    local page = call('ZRANGEBYSCORE', waiting, low, high, 'LIMIT', offset, size)
    offset = offset + size
    for _, member in ipairs(free(page)) do
      if #found < wanted and not (plain and is_digest(member)) then found[#found + 1] = member end
    end
    if #page < size then break end
  end
  return found
end

local function replied(given) -- (kind, member, its rows' members)… as the reply has it
  local facts_asked, rows_asked, reply = {}, {}, {}
  for i = 1, #given, 3 do
    facts_asked[#facts_asked + 1] = 't:' .. given[i + 1]
    facts_asked[#facts_asked + 1] = 'z:' .. given[i + 1]
    for _, one in ipairs(given[i + 2]) do rows_asked[#rows_asked + 1] = one end
  end
  local known_of, contents, n = all_of('HMGET', facts, facts_asked), all_of('HMGET', rows, rows_asked), 0
  for i = 1, #given, 3 do
    local place_in = (i - 1) / 3 * 2
    reply[#reply + 1] = given[i]
    reply[#reply + 1] = given[i + 1]
    reply[#reply + 1] = known_of[place_in + 1] or '0 0'
    reply[#reply + 1] = known_of[place_in + 2] or ''
    reply[#reply + 1] = #given[i + 2]
    for _ = 1, #given[i + 2] do
      n = n + 1
      reply[#reply + 1] = contents[n]
    end
  end
  return reply
end

local function claim(from) -- token, at once, reserve, digest size, the claim's id, unpaced, then (count, per)…
  local token, room = ARGV[from], tonumber(ARGV[from + 1])
  local reserve, digest, id = tonumber(ARGV[from + 2]), tonumber(ARGV[from + 3]), ARGV[from + 4]
  local unpaced = tonumber(ARGV[from + 5])
  local given, left_waiting, took_off, facts_of, tokens = {}, {}, {}, {}, {}
  local function give(kind, member, carried)
    given[#given + 1] = kind
    given[#given + 1] = member
    given[#given + 1] = carried
  end
  local air = call('ZRANGE', flying, 0, -1, 'WITHSCORES')
  for i = 1, #air, 2 do
    local member = air[i]
    if tonumber(air[i + 1]) == tonumber(token) and call('HGET', facts, 'o:' .. member) == id then
      -- The answer to this claim was lost: the same again.
      if is_overflow(member) then give('overflow', member, call('ZRANGEBYSCORE', waiting, '-inf', '(0'))
      else give(is_digest(member) and 'digest' or 'single', member, members_of(member)) end
    end
  end
  if #given > 0 then look_soon() return replied(given) end
  local hold = held_until()
  if hold > now then look_soon() return {} end
  local flight = nil -- when the first of the claims under way ends
  for i = 1, #air, 2 do
    if tonumber(air[i + 1]) <= now then
      end_claim(air[i])
    else
      flight = flight or math.ceil(tonumber(air[i + 1]))
      room = room - 1
    end
  end
  local times = {later = revive()}
  local head = call('ZRANGE', waiting, 0, 0)[1] -- critical members stand first

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
    left_waiting[#left_waiting + 1] = member
    took_off[#took_off + 1] = token
    took_off[#took_off + 1] = member
    facts_of[#facts_of + 1] = 'o:' .. member
    facts_of[#facts_of + 1] = id
    for _, subject in ipairs(kind == 'overflow' and {} or subjects_of(carried)) do
      facts_of[#facts_of + 1] = subject
      facts_of[#facts_of + 1] = 1
    end
    if limited then
      tokens[#tokens + 1] = whole(now)
      tokens[#tokens + 1] = token .. '\31' .. member
    end
    room, left, usable, sent = room - 1, left - 1, usable - 1, sent + 1
  end
  local function take_off() -- write down what was handed out, before the waiting are looked at again
    many('ZREM', waiting, left_waiting)
    many('ZADD', flying, took_off)
    many('HSET', facts, facts_of)
    many('ZADD', window, tokens)
    left_waiting, took_off, facts_of, tokens = {}, {}, {}, {}
  end
  local function overflow() -- the last token, several critical rows wait, and one of them was in no overflow yet
    take_off()
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

  if head and parts(head) == 'c' and room > 0 and left > 0 then
    for _, member in ipairs(gather('-inf', '(0', math.min(room, left))) do
      if room <= 0 or left <= 0 or (left == 1 and digest >= 0 and overflow()) then break end
      hand_out('single', member, {member})
    end
  end
  take_off()
  if head and room > 0 and usable > 0 and pace_at() <= now then
    local singly = paced and math.min(usable, math.max(unpaced - sent, 1)) or usable
    local merge = digest > 1 and call('ZCOUNT', waiting, 0, '+inf') > singly
    for _, member in ipairs(gather(0, '+inf', math.min(room, singly))) do
      if is_digest(member) then
        hand_out('digest', member, members_of(member))
      elseif merge then
        merge = false
        take_off()
        local members = gather(0, '+inf', digest, true)
        if #members > 1 then
          local seq = call('HINCRBY', facts, 'seq', 1)
          local _, _, created = parts(members[1])
          local whole_one = string.format('n\31#%d\31%s.%010d\31', seq, created, seq)
          call('HSET', facts, 'd:' .. whole_one, table.concat(members, '\30'))
          many('ZREM', waiting, members)
          hand_out('digest', whole_one, members)
          break
        end
        hand_out('single', member, {member})
      else
        hand_out('single', member, {member})
      end
    end
  end

  take_off()
  local own = #given > 0 and math.ceil(tonumber(token)) or nil
  times.flight = own and math.min(flight or own, own) or flight
  local critical, normal = false, false
  if head and call('ZCARD', waiting) > 0 then
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
  look_at(times, hold)
  return replied(given)
end

local settled, came = tonumber(ARGV[4]), tonumber(ARGV[5])
local first_put = 6 + settled
local reply = {settle(6, 5 + settled), {}, {}}
if came > 0 then reply[3] = put(first_put, first_put + came - 1) end
if #ARGV >= first_put + came then reply[2] = claim(first_put + came) else look_soon() end
return reply
