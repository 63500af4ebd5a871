--[[ sweepHeartbeats: remove heartbeats of one slot that are still as they were judged, once everything else of their owners has gone,
    and say who was swept.
  WHY LUA  "is it still as judged?", "remove" and "say so" must be one step: its owner may beat again between two round trips, and who
           sends this may end.
  BOUND    the caller sends at most 100 a call: they take less than 0.5 ms.
  SAFE TO  repeat, race and interrupt: each is compared by itself, right before it goes; one that is gone is no error; what was
           announced by this call is not announced again.
  KEYS     n heartbeats; with a trash the n names that they get there, and the key for their times to live; where something is
           announced, the set of those of whom it was said, and the key that says that it was
  ARGV     1: n, 2: how many ms they stay in the trash, 0 to remove them for good, 3: what is announced, "" for nothing, 4: the
           channel for that, 5: for how many ms it stays known of whom it was said, 6: the last second of this server's clock in
           which that is to be done, 0 for any, then n proofs: the value that was judged, or, where that is longer than 64 bytes,
           that or "#" and its SHA-1; then what stands in the set for those who are announced
  RETURNS  how many of them went; the error LATE where it came too late ]]
local last = tonumber(ARGV[6])
if last > 0 and tonumber(redis.call('TIME')[1]) > last then
  return redis.error_reply('LATE others may have taken whoever sent this for killed')
end
local count, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
-- As lua/toTrash.lua notes it.
local DIGITS, BASE, MOST = 14, 10000000000000, 89999999999999
local ttls = 2 * count + 1

local function remove(at)
  if keep == 0 then return redis.call('UNLINK', KEYS[at]) end
  local left = redis.call('PTTL', KEYS[at])
  local moved = redis.call('RENAMENX', KEYS[at], KEYS[count + at])
  if moved == 1 then
    redis.call('PEXPIRE', KEYS[count + at], keep)
    if left >= 0 then
      redis.call('SETRANGE', KEYS[ttls], at * DIGITS, string.format('%.0f', BASE + math.min(left, MOST)))
    end
  end
  return moved
end

local removed = 0
for i = 1, count do
  local value = redis.call('MGET', KEYS[i])[1]
  local proof = ARGV[6 + i]
  if value and (value == proof or (#value > 64 and proof == '#' .. redis.sha1hex(value))) then
    removed = removed + remove(i)
  end
end
if keep > 0 and removed > 0 then
  redis.call('SETRANGE', KEYS[ttls], 0, string.format('%.0f', BASE + keep))
  redis.call('PEXPIRE', KEYS[ttls], keep)
end
-- UNLINK removes nothing here. Where memory is full, SET would be refused did it come first.
if ARGV[3] ~= '' and redis.call('EXISTS', KEYS[#KEYS]) == 0 and redis.call('UNLINK', KEYS[#KEYS]) == 0 then
  redis.call('SET', KEYS[#KEYS], 'said', 'PX', 86400000)
  redis.call('SADD', KEYS[#KEYS - 1], unpack(ARGV, 7 + count))
  redis.call('PEXPIRE', KEYS[#KEYS - 1], ARGV[5])
  redis.call('PUBLISH', ARGV[4], ARGV[3])
end
return removed
