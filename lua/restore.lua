--[[ restore: bring things back from the trash, with what is left of their own time to live.
  WHY LUA  "is its name free?", "how long would it still live?" and "bring it back" must be one step: a coordinator that beats
           again writes its things anew.
  BOUND    the caller sends fewer than 5,000 things a call, and cuts calls to its budget: 400 take about 1 ms.
  SAFE TO  repeat, race and interrupt: a name that exists is left as it is, and the thing where it was; what is not in the
           trash any more is no error.
  KEYS     k things in the trash, then their k names, then for each the key that holds its time to live
  ARGV     1: k, 2: the last second of this server's clock in which that is to be done, 0 for any, then the position of each among
           those that went with it
  RETURNS  for each thing 1 when it is back, 2 when it is without what time to live it had, which nobody knows any more, 0 when its
           name exists, -1 when its own time to live is over, -2 when it is not in the trash; the error LATE where it came too late ]]
local last = tonumber(ARGV[2])
if last > 0 and tonumber(redis.call('TIME')[1]) > last then
  return redis.error_reply('LATE others may have taken whoever sent this for killed')
end
local count = tonumber(ARGV[1])
local DIGITS, BASE = 14, 10000000000000
local became = {}

for i = 1, count do
  local left = redis.call('PTTL', KEYS[i])
  local from = (tonumber(ARGV[2 + i]) + 1) * DIGITS
  local known = tonumber(redis.call('GETRANGE', KEYS[2 * count + i], 0, DIGITS - 1))
  local keep = known or BASE
  -- BASE and what it had left when it came here; 0, or nothing, where it had no time to live.
  local own = tonumber(redis.call('GETRANGE', KEYS[2 * count + i], from, from + DIGITS - 1)) or 0
  local rest = own - BASE - (left >= 0 and keep - BASE - left or 0)
  if left == -2 then
    became[i] = -2
  elseif own > 0 and rest <= 0 then
    became[i] = -1
  elseif redis.call('EXISTS', KEYS[count + i]) == 1 then
    became[i] = 0
  else
    if own > 0 then redis.call('PEXPIRE', KEYS[i], rest) else redis.call('PERSIST', KEYS[i]) end
    became[i] = redis.call('RENAMENX', KEYS[i], KEYS[count + i]) == 1 and (known and 1 or 2) or 0
  end
end
return became
