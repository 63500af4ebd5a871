--[[ orphans: remove keys that no coordinator with a heartbeat could own, once they have been idle for long enough.
  WHY LUA  "is nobody's, is idle" and "remove" must be one step: a coordinator may be born between two round trips.
  BOUND    the caller sends fewer than 7,900 keys a call. 1,000 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: a key is removed only right after its own check. Redis keeps one value for all keys that
           hold the same number below 10,000, and with it one idle time, which says nothing of any of them: such a key stays.
  KEYS     m heartbeats that must not exist, then the orphans
  ARGV     1: m, 2: the idle seconds an orphan must exceed, 3: the number of families f, 4 to 3+f: how many of the
           orphans each family has
  RETURNS  { 0, removed of each family } or, when one of the heartbeats exists, { c, the c positions of those in KEYS } ]]
local absent, families = tonumber(ARGV[1]), tonumber(ARGV[3])
if absent > 0 and redis.call('EXISTS', unpack(KEYS, 1, absent)) > 0 then
  local born = { 0 }
  for i = 1, absent do
    if redis.call('EXISTS', KEYS[i]) == 1 then born[#born + 1] = i end
  end
  born[1] = #born - 1
  return born
end

local SHARED = 2147483647
local removed = { 0 }
local at = absent
for family = 1, families do
  local idle = {}
  for _ = 1, tonumber(ARGV[3 + family]) do
    at = at + 1
    local seconds = redis.call('OBJECT', 'IDLETIME', KEYS[at])
    local isIdle = seconds and seconds > tonumber(ARGV[2]) and redis.call('OBJECT', 'REFCOUNT', KEYS[at]) ~= SHARED
    if isIdle then idle[#idle + 1] = KEYS[at] end
  end
  removed[family + 1] = #idle > 0 and redis.call('UNLINK', unpack(idle)) or 0
end
return removed
