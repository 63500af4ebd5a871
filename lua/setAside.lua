--[[ setAside: give keys of one slot other names, under which nobody looks for them, until it is known that their owners are still stale.
  WHY LUA  "is there, has been idle" and "rename" must be one step; and a slot's keys go in one call.
  BOUND    the caller sends fewer than 7,900 keys a call, and cuts calls to its budget: 400 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: the new names are this call's own, so a key that stands there was set aside by an earlier
           sending; what was left there is found by the next run, and put back.
  KEYS     n keys, then their n names aside
  ARGV     1: the idle seconds that a key must exceed, -1 for any, 2: the last second of this server's clock in which that is to
           be done, 0 for any
  RETURNS  for each key 1 when it is aside, 0 when it was not there or not idle; the error LATE where it came too late ]]
local last = tonumber(ARGV[2])
if last > 0 and tonumber(redis.call('TIME')[1]) > last then
  return redis.error_reply('LATE others may have taken whoever sent this for killed')
end
local redis, KEYS = redis, KEYS
local count, least = #KEYS / 2, tonumber(ARGV[1])
-- Redis keeps one value for all keys that hold the same small number, and with it one idle time, which says nothing of any.
local SHARED = 2147483647
local became = {}
for i = 1, count do
  local idle = least < 0
  if redis.call('EXISTS', KEYS[i]) == 0 then
    became[i] = redis.call('EXISTS', KEYS[count + i])
  else
    if not idle then
      idle = redis.call('OBJECT', 'IDLETIME', KEYS[i]) > least and redis.call('OBJECT', 'REFCOUNT', KEYS[i]) ~= SHARED
    end
    -- 0 where it has been set aside before, and written anew since.
    if idle then redis.call('RENAMENX', KEYS[i], KEYS[count + i]) end
    became[i] = idle and 1 or redis.call('EXISTS', KEYS[count + i])
  end
end
return became
