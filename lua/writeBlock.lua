--[[ writeBlock: write a block of the ledger, after removing as many of the oldest ones as are needed to keep within its size.
  WHY LUA  the block, what all of them take, and what is removed for it must change in one step: several processes write, and
           none may find the ledger larger than allowed, or a block replaced that it did not read.
  BOUND    looks at the 66 oldest, and removes no more of them than the caller names.
  SAFE TO  race and interrupt: of two that replace the same version of a block one wins. Repeated, a block that was written
           without a version is written again, the same; with one, it is not, since another version stands by then.
  KEYS     1: what all blocks take (named "bytes"; the names of blocks are what follows that in their keys), 2: their names in
           order, 3: their names by age, 4: the block, 5: a block that is removed with it, or the block itself for none,
           6 and up: blocks that may be removed, the oldest first
  ARGV     1: the first eight bytes of the block that is replaced, "" for none, "*" for whatever stands, 2: the same
           of the one that is removed with it, 3: the new block, 4: its instant in ms, the age goes by it,
           5: what all may take, in bytes, 6: blocks older than this go, in ms
  RETURNS  1 when it is written, 0 when another version stands, 2 when more of the oldest must go first; then what all blocks
           take now, then the names of the oldest: 8 of them, or 64 when more must go ]]
-- A page, a batch: 420 bytes stand around it, in three dictionaries. Instants from 8e15 on mean that it does not age.
local FIXED, RESERVED, AGELESS = 420, 2048, 8e15
local before = string.len(KEYS[1]) - string.len('bytes') + 1

-- What a block takes: its bytes as the allocator rounds them up, and its name, three times.
-- A run under way is rewritten without this script, so it counts as if it were as long as it may be.
local function taken(name, length)
  local bytes = (string.sub(name, 1, 5) == 'open/' and RESERVED or length) + 24
  local power = 128
  while power * 2 < bytes do power = power * 2 end
  return math.ceil(bytes / (power / 4)) * (power / 4) + 3 * string.len(name) + FIXED
end

local function answer(status, total, names)
  return { status, total, unpack(names) }
end

local name, ended = string.sub(KEYS[4], before), string.sub(KEYS[5], before)
local total = tonumber(redis.call('GET', KEYS[1]) or '0')
-- Who emptied the database emptied the ledger, whatever is left of it.
if redis.call('ZCARD', KEYS[3]) == 0 then total = 0 end
if ARGV[1] ~= '*' and redis.call('GETRANGE', KEYS[4], 0, 7) ~= ARGV[1] then return { 0, total } end
if ARGV[2] ~= '*' and redis.call('GETRANGE', KEYS[5], 0, 7) ~= ARGV[2] then return { 0, total } end

local grows = taken(name, string.len(ARGV[3]))
if redis.call('ZSCORE', KEYS[3], name) then grows = grows - taken(name, redis.call('STRLEN', KEYS[4])) end
if ended ~= name and redis.call('ZSCORE', KEYS[3], ended) then
  grows = grows - taken(ended, redis.call('STRLEN', KEYS[5]))
end

-- The oldest are those that the caller named, or it is told which they are. Looked for in one more place than there are,
-- since the block itself may be one of them.
local oldest = redis.call('ZRANGE', KEYS[3], 0, 65, 'WITHSCORES')
local at, removed = 6, 0
local left = {}
for i = 1, #oldest, 2 do
  local one, instant = oldest[i], tonumber(oldest[i + 1])
  if one ~= name and one ~= ended and instant < AGELESS then
    local goes = #left == 0 and (total + grows > tonumber(ARGV[5]) or instant < tonumber(ARGV[6]))
    if goes and KEYS[at] and string.sub(KEYS[at], before) == one then
      total = total - taken(one, redis.call('STRLEN', KEYS[at]))
      redis.call('UNLINK', KEYS[at])
      redis.call('ZREM', KEYS[2], one)
      redis.call('ZREM', KEYS[3], one)
      at = at + 1
    elseif #left < 64 then
      left[#left + 1] = one
    end
  end
end
if at > 6 then redis.call('SET', KEYS[1], total) end
if total + grows > tonumber(ARGV[5]) then return answer(2, total, left) end

redis.call('SET', KEYS[4], ARGV[3])
redis.call('ZADD', KEYS[2], 0, name)
redis.call('ZADD', KEYS[3], ARGV[4], name)
if ended ~= name then
  redis.call('UNLINK', KEYS[5])
  redis.call('ZREM', KEYS[2], ended)
  redis.call('ZREM', KEYS[3], ended)
end
redis.call('SET', KEYS[1], total + grows)
return answer(1, total + grows, { unpack(left, 1, 8) })
