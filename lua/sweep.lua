--[[ sweep: remove the keys of coordinators that are still exactly as stale as they were judged.
  WHY LUA  "is it still stale?" and "remove" must be one step: between two round trips a coordinator may beat again.
  BOUND    the caller sends fewer than 7,900 keys a call: unpack takes fewer than 8,000 values. 1,200 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: everything is checked before anything is written, so it removes all or nothing;
           a key already gone is no error; a chunk that never ran is found by the next run.
  KEYS     the n judged heartbeats, then m heartbeats that must not exist, then the keys, family by family
  ARGV     1: n, 2: m, 3: "1" to remove the n heartbeats too (last), 4: the number of families f,
           5 to 4+f: how many keys each family has, then the n values that were judged
  RETURNS  { 0, removed of each family, removed heartbeats } when all was as judged, else { c, the c positions in KEYS
           of the heartbeats that were not }, a position being negative where that heartbeat no longer exists ]]
local judged, absent, families = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local changed = { 0 }

if judged > 0 then
  local values = redis.call('MGET', unpack(KEYS, 1, judged))
  for i = 1, judged do
    if values[i] ~= ARGV[4 + families + i] then
      -- MGET answers nil for a key that is not a string, as for a missing one; EXISTS tells them apart.
      local exists = values[i] or redis.call('EXISTS', KEYS[i]) == 1
      changed[#changed + 1] = exists and i or -i
    end
  end
end
if absent > 0 and redis.call('EXISTS', unpack(KEYS, judged + 1, judged + absent)) > 0 then
  for i = judged + 1, judged + absent do
    if redis.call('EXISTS', KEYS[i]) == 1 then changed[#changed + 1] = i end
  end
end
if #changed > 1 then
  changed[1] = #changed - 1
  return changed
end

local removed = { 0 }
local first = judged + absent + 1
for family = 1, families do
  local last = first + tonumber(ARGV[4 + family]) - 1
  removed[family + 1] = last >= first and redis.call('UNLINK', unpack(KEYS, first, last)) or 0
  first = last + 1
end
removed[families + 2] = ARGV[3] == '1' and judged > 0 and redis.call('UNLINK', unpack(KEYS, 1, judged)) or 0
return removed
