-- One try to log in, counted before the password is looked at, so that neither a crash nor many tries at once are free.
-- KEYS: logins. ARGV: now, decay (ms), then the address's field, most free tries, longest wait (ms); the pair's field
-- (account at this address) with the same two; the account's field with the same two.
-- A row is "<failures> <last> <until>". An address from which the account was opened lately ("k" field, until) is not
-- held up by what others do to the account.  Reply: 0 when the try may go on, else the milliseconds to wait.
local now, decay = tonumber(ARGV[1]), tonumber(ARGV[2])
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[12]) or '0') > now
local rows, wait = {}, 0
for place = 3, 9, 3 do
    if place < 9 or not known then
        local failures, last, till = string.match(redis.call('HGET', KEYS[1], ARGV[place]) or '0 0 0', '(%d+) (%d+) (%d+)')
        failures, last, till = tonumber(failures), tonumber(last), tonumber(till)
        if last + decay < now then
            failures, till = 0, 0
        end
        wait = math.max(wait, till - now)
        rows[#rows + 1] = { place, failures }
    end
end
if wait > 0 then
    return wait
end
for _, row in ipairs(rows) do
    local place, failures = row[1], row[2] + 1
    local free, longest = tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
    local hold = 0
    if failures >= free then
        hold = math.min(longest, 30000 * 2 ^ math.min(failures - free, 20))
    end
    redis.call('HSET', KEYS[1], ARGV[place], string.format('%d %d %d', failures, now, now + hold))
end
return 0
