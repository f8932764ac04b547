-- What is done with a mailbox beside its turns; follows mailbox_parts.lua.
local function release() -- of one hub, or '' for all: whoever held these claims is gone for certain
  local count, owner = 0, ARGV[4] .. '\31'
  for _, member in ipairs(call('ZRANGE', flying, 0, -1)) do
    local id = call('HGET', facts, 'o:' .. member) or ''
    if owner == '\31' or string.sub(id, 1, #owner) == owner then end_claim(member) count = count + 1 end
  end
  look_soon()
  return count
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

local all = {freeze = freeze, more = more, hold = hold, figures = figures, release = release}
return all[operation]()
