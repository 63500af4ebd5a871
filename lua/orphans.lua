--[[ orphans: remove keys that no coordinator with a heartbeat could own, once they have been idle for long enough.
  WHY LUA  "is nobody's, is idle" and "remove" must be one step: a coordinator may be born between two round trips.
  BOUND    the caller sends fewer than 7,900 keys a call. 1,000 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: a key is removed only right after its own check. Redis keeps one value for all keys that
           hold the same number below 10,000, and with it one idle time, which says nothing of any of them: such a key stays.
  KEYS     m heartbeats that must not exist, then the orphans; with a trash the names that these get there, and the key for
           their times to live
  ARGV     1: m, 2: the idle seconds an orphan must exceed, 3: how many ms things stay in the trash, 0 to remove them for
           good, 4: the last second of this server's clock in which that is to be done, 0 for any, 5: the number of families f,
           6 to 5+f: how many of the orphans each family has
  RETURNS  { 0, removed of each family } or, when one of the heartbeats exists, { c, the c positions of those in KEYS };
           the error LATE where it came too late ]]
local last = tonumber(ARGV[4])
if last > 0 and tonumber(redis.call('TIME')[1]) > last then
  return redis.error_reply('LATE others may have taken whoever sent this for killed')
end
local absent, keep, families = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[5])
if absent > 0 and redis.call('EXISTS', unpack(KEYS, 1, absent)) > 0 then
  local born = { 0 }
  for i = 1, absent do
    if redis.call('EXISTS', KEYS[i]) == 1 then born[#born + 1] = i end
  end
  born[1] = #born - 1
  return born
end

-- As lua/sweep.lua does it.
local total = keep > 0 and (#KEYS - absent - 1) / 2 or 0
local BASE, MOST, NONE = 10000000000000, 89999999999999, '00000000000000'
local lives, some = { BASE + keep }, false
local function note()
  return redis.pcall('SET', KEYS[#KEYS], some and table.concat(lives) or lives[1], 'PX', keep)
end
local function isFull(reply) return string.sub(reply.err, 1, 3) == 'OOM' or string.find(reply.err, 'maxmemory', 1, true) end
local function trash(at)
  local left = redis.call('PTTL', KEYS[at])
  if left >= 0 then
    some = true
    lives[at - absent + 1] = BASE + math.min(left, MOST)
  end
  if left == -2 then return 0 end
  if redis.call('RENAMENX', KEYS[at], KEYS[at + total]) == 0 then return 0 end
  redis.call('PEXPIRE', KEYS[at + total], keep)
  return 1
end
if keep > 0 then
  for i = 1, total do lives[i + 1] = NONE end
  local reply = note()
  if reply.err and not isFull(reply) then return reply end
  some = reply.err ~= nil
end

local SHARED = 2147483647
local removed = { 0 }
local at = absent
for family = 1, families do
  local idle, count = {}, 0
  for _ = 1, tonumber(ARGV[5 + family]) do
    at = at + 1
    local seconds = redis.call('OBJECT', 'IDLETIME', KEYS[at])
    local isIdle = seconds and seconds > tonumber(ARGV[2]) and redis.call('OBJECT', 'REFCOUNT', KEYS[at]) ~= SHARED
    if isIdle and keep > 0 then
      count = count + trash(at)
    elseif isIdle then
      idle[#idle + 1] = KEYS[at]
    end
  end
  removed[family + 1] = #idle > 0 and redis.call('UNLINK', unpack(idle)) or count
end
if some then
  local reply = note()
  if reply.err then return reply end
end
return removed
