--[[ sweep: remove the things of coordinators that are still exactly as stale as they were judged.
  WHY LUA  "is it still stale?" and "remove" must be one step: between two round trips a coordinator may beat again.
  BOUND    the caller sends at most 20,000 keys a call, and cuts calls to its budget: 1,200 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: everything is checked before anything is written, so it removes all or nothing;
           a key already gone is no error; a chunk that never ran is found by the next run.
  KEYS     the n judged heartbeats, then m heartbeats that must not exist, then the keys, family by family; with a trash the
           names that the keys get there, and then the heartbeats that go, and the key for their times to live; the stream
           that is announced in; the sets of those of whom it was said, in this hour and in the last; the key that says that it
           was announced
  ARGV     1: n, 2: m, 3: how many of the n heartbeats go too (the first ones, after everything else), 4: how many ms things
           stay in the trash, 0 to remove them for good, 5: what the message begins with, "" for none, 6: what it ends with,
           7: the channel for it, "" for a stream, 8: how many entries that keeps, 9: for how many ms it stays known of whom
           it was said, 10: the last second of this server's clock in which that is to be done, 0 for any, 11: the number of
           families f, 12 to 11+f: how many keys each family has, negative to be told which of
           them were not there (a tenth more where all were or none, half as long again where only some), then the n proofs:
           the value that was judged, or, for one longer than 64 bytes, "#" and its SHA-1; then of each who is
           announced, those whose heartbeats go first, what stands for it in the sets, and what is said of it
  RETURNS  { 0, removed of each family, removed heartbeats, the positions in KEYS of those that were not there } when all
           was as judged, else { c, the c positions in KEYS of the heartbeats that were not }, a position being negative
           where that heartbeat no longer exists; the error LATE where it came too late ]]
local last = tonumber(ARGV[10])
if last > 0 and tonumber(redis.call('TIME')[1]) > last then
  return redis.error_reply('LATE others may have taken whoever sent this for killed')
end
-- As globals they are looked for at each use.
local redis, KEYS, ARGV = redis, KEYS, ARGV
local judged, absent, families = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[11])
-- unpack takes fewer than 8,000 values.
local SLICE = 4000
local changed = { 0 }

for first = 1, judged, SLICE do
  local values = redis.call('MGET', unpack(KEYS, first, math.min(first + SLICE - 1, judged)))
  for i = 1, #values do
    local at = first + i - 1
    local value, proof = values[i], ARGV[11 + families + at]
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

local removed = { 0 }
local going, keep, total = tonumber(ARGV[3]), tonumber(ARGV[4]), 0
for family = 1, families do total = total + math.abs(tonumber(ARGV[11 + family])) end
local from = judged + absent + 1
-- Where in KEYS stands what comes after the keys: the names in the trash less one, the times to live, the announcement.
local names = judged + absent + total
local ttls = names + total + going + 1
local said = keep > 0 and ttls or names
local name = names

-- What is written besides is written first: were it refused, nothing would have been removed. Where memory is full it is
-- refused until something was.
local late = {}
local function failed(reply) return type(reply) == 'table' and reply.err end
local function write(first)
  local reply = first()
  if not failed(reply) then return nil end
  if string.sub(reply.err, 1, 3) ~= 'OOM' and not string.find(reply.err, 'maxmemory', 1, true) then return reply end
  late[#late + 1] = first
  return nil
end

-- Whose heartbeat goes was announced by nobody: that it is there shows it. Of one who has lapsed only the sets tell.
local fresh, parts
local function pick(known)
  fresh, parts = {}, {}
  for at = 12 + families + judged, #ARGV, 2 do
    local hasLapsed = (at - 12 - families - judged) / 2 >= going
    if not hasLapsed
      or (redis.call('SISMEMBER', KEYS[known], ARGV[at]) == 0 and redis.call('SISMEMBER', KEYS[known + 1], ARGV[at]) == 0)
    then
      fresh[#fresh + 1] = ARGV[at]
      parts[#parts + 1] = ARGV[at + 1]
    end
  end
end

local function announce()
  local known = said + (ARGV[7] == '' and 2 or 1)
  if not fresh then pick(known) end
  if #fresh == 0 then return nil end
  if KEYS[known + 2] then
    local isFirst = redis.pcall('SET', KEYS[known + 2], 'said', 'NX', 'PX', 600000)
    if not isFirst or failed(isFirst) then return isFirst end
  end
  for first = 1, #fresh, SLICE do
    local reply = redis.pcall('SADD', KEYS[known], unpack(fresh, first, math.min(first + SLICE - 1, #fresh)))
    if failed(reply) then return reply end
  end
  local reply = redis.pcall('PEXPIRE', KEYS[known], ARGV[9])
  if failed(reply) then return reply end
  local message = ARGV[5] .. table.concat(parts, ',') .. ARGV[6]
  if ARGV[7] ~= '' then return redis.pcall('PUBLISH', ARGV[7], message) end
  return redis.pcall('XADD', KEYS[said + 1], 'MAXLEN', '~', ARGV[8], '*', 'message', message)
end

-- How long the trash keeps them and then what each had left, in ms from BASE on, so that each number has 14 digits; as long
-- as none had a time to live, the first alone.
local BASE, MOST, NONE = 10000000000000, 89999999999999, '00000000000000'
local lives, some = { BASE + keep }, false
local function note()
  return redis.pcall('SET', KEYS[ttls], some and table.concat(lives) or lives[1], 'PX', keep)
end

local call = redis.call
local function trash(at, name)
  local key, there = KEYS[at], KEYS[name]
  local left = call('PTTL', key)
  if left >= 0 then
    some = true
    lives[name - names + 1] = BASE + (left < MOST and left or MOST)
  else
    lives[name - names + 1] = NONE
    if left == -2 then return 0 end
  end
  local moved = call('RENAMENX', key, there)
  -- After, so that RENAMENX has no time to live to carry along: that would take a tenth longer.
  if moved == 1 then call('PEXPIRE', there, keep) end
  return moved
end

local function remove(first, last)
  local count = 0
  if keep > 0 then
    for at = first, last do
      name = name + 1
      count = count + trash(at, name)
    end
    return count
  end
  for at = first, last, SLICE do
    count = count + redis.call('UNLINK', unpack(KEYS, at, math.min(at + SLICE - 1, last)))
  end
  return count
end

-- To be told which were not there, keys are first counted so many at a time: of those of whom all are there, or none, that says
-- it, and asking right before they go takes a tenth more, where one by one takes half as long again. After two of which only
-- some were there, the next ones go one by one.
local TOGETHER, ALONE = 32, 8 * 32
local missing = {}
local function miss(at) missing[#missing + 1] = at end

local function removeOneByOne(first, last)
  for at = first, last do
    if remove(at, at) == 0 then miss(at) end
  end
end

local function removeAll(first, last)
  if remove(first, last) == last - first + 1 then return end
  -- SCAN may have returned a key twice.
  local seen = {}
  for at = first, last do
    if seen[KEYS[at]] then miss(at) end
    seen[KEYS[at]] = true
  end
end

local function removeTold(first, last)
  local at, mixed = first, 0
  while at <= last do
    local upTo = math.min(at + TOGETHER - 1, last)
    if keep > 0 or mixed == 2 then
      upTo = keep > 0 and last or math.min(at + ALONE - 1, last)
      removeOneByOne(at, upTo)
      mixed = 0
    else
      local there = call('EXISTS', unpack(KEYS, at, upTo))
      mixed = (there == 0 or there == upTo - at + 1) and 0 or mixed + 1
      if mixed > 0 then
        removeOneByOne(at, upTo)
      elseif there > 0 then
        removeAll(at, upTo)
      else
        for absent = at, upTo do miss(absent) end
      end
    end
    at = upTo + 1
  end
end

if ARGV[5] ~= '' then
  local refusal = write(announce)
  if refusal then return refusal end
end
if keep > 0 then
  local refusal = write(note)
  if refusal then return refusal end
end
for family = 1, families do
  local keys = tonumber(ARGV[11 + family])
  if keys < 0 then
    keys = -keys
    local before = #missing
    removeTold(from, from + keys - 1)
    removed[family + 1] = keys - (#missing - before)
  else
    removed[family + 1] = remove(from, from + keys - 1)
  end
  from = from + keys
end
removed[families + 2] = remove(1, going)
if some then late[#late + 1] = note end
for i = 1, #late do
  local reply = late[i]()
  if failed(reply) then return reply end
end
for i = 1, #missing do removed[families + 2 + i] = missing[i] end
return removed
