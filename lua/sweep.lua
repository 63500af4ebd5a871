--[[ sweep: remove the things of coordinators that are still exactly as stale as they were judged.
  WHY LUA  "is it still stale?" and "remove" must be one step: between two round trips a coordinator may beat again.
  BOUND    the caller sends at most 20,000 keys a call, and cuts calls to its budget: 1,200 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: everything is checked before anything is written, so it removes all or nothing;
           a key already gone is no error; a chunk that never ran is found by the next run.
  KEYS     the n judged heartbeats, then m heartbeats that must not exist, then the keys, family by family
  ARGV     1: n, 2: m, 3: how many of the n heartbeats go too (the first ones, after everything else), 4: the number of
           families f, 5 to 4+f: how many keys each family has, negative to be told which of them were not there (they go one
           by one, which takes half as long again), then the n proofs: the value that was judged, or, where that is longer
           than 64 bytes, "#" and its SHA-1
  RETURNS  { 0, removed of each family, removed heartbeats, the positions in KEYS of those that were not there } when all
           was as judged, else { c, the c positions in KEYS of the heartbeats that were not }, a position being negative
           where that heartbeat no longer exists ]]
local judged, absent, families = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
-- unpack takes fewer than 8,000 values.
local SLICE = 4000
local changed = { 0 }

for first = 1, judged, SLICE do
  local values = redis.call('MGET', unpack(KEYS, first, math.min(first + SLICE - 1, judged)))
  for i = 1, #values do
    local at = first + i - 1
    local value, proof = values[i], ARGV[4 + families + at]
    if value ~= proof and not (value and #value > 64 and proof == '#' .. redis.sha1hex(value)) then
      -- MGET answers nil for a key that is not a string, as for a missing one; EXISTS tells them apart.
      local exists = value or redis.call('EXISTS', KEYS[at]) == 1
      changed[#changed + 1] = exists and at or -at
    end
  end
end
for first = judged + 1, judged + absent, SLICE do
  local last = math.min(first + SLICE - 1, judged + absent)
  if redis.call('EXISTS', unpack(KEYS, first, last)) > 0 then
    for i = first, last do
      if redis.call('EXISTS', KEYS[i]) == 1 then changed[#changed + 1] = i end
    end
  end
end
if #changed > 1 then
  changed[1] = #changed - 1
  return changed
end

local removed, missing = { 0 }, {}
local from = judged + absent + 1
local function unlink(first, last)
  local count = 0
  for at = first, last, SLICE do
    count = count + redis.call('UNLINK', unpack(KEYS, at, math.min(at + SLICE - 1, last)))
  end
  return count
end
for family = 1, families do
  local keys = tonumber(ARGV[4 + family])
  if keys < 0 then
    keys = -keys
    local before = #missing
    for at = from, from + keys - 1 do
      if redis.call('UNLINK', KEYS[at]) == 0 then missing[#missing + 1] = at end
    end
    removed[family + 1] = keys - (#missing - before)
  else
    removed[family + 1] = unlink(from, from + keys - 1)
  end
  from = from + keys
end
removed[families + 2] = unlink(1, tonumber(ARGV[3]))
for i = 1, #missing do removed[families + 2 + i] = missing[i] end
return removed
