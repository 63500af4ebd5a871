--[[ holdingIds: of blocks that begin with a filter as long as they have ids, tell those in which one of some ids may stand.
  WHY LUA  what must be looked at of each is a few bytes, but a command: 25,000 of them took whoever asks half a second.
  BOUND    the caller sends at most 500 blocks, and fewer for more than a few ids: they take about a millisecond.
  SAFE TO  repeat, race and interrupt: it only reads.
  KEYS     the blocks
  ARGV     1: how many bytes stand before the length of the filter, which is four bytes, the lowest first, 2: how many bytes a
           filter has at most, 3: how many bits of it each id sets, 4 and up: of each id two hashes; the nth of its bits, counted
           from 0, is the first hash and n times the second, modulo the number of bits in the filter, the lowest of each byte first
  RETURNS  the positions in KEYS of those in which one of them may stand; none that is gone or has no filter ]]
local before, most, hashes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = {}
for i = 4, #ARGV, 2 do ids[#ids + 1] = { tonumber(ARGV[i]), tonumber(ARGV[i + 1]) } end

local function mayHold(head, bits, id)
  for n = 0, hashes - 1 do
    local bit = (id[1] + n * id[2]) % bits
    local byte = string.byte(head, 5 + math.floor(bit / 8))
    if math.floor(byte / 2 ^ (bit % 8)) % 2 == 0 then return false end
  end
  return true
end

local holding = {}
for i = 1, #KEYS do
  local head = redis.call('GETRANGE', KEYS[i], before, before + 3 + most)
  if #head > 4 then
    local a, b, c, d = string.byte(head, 1, 4)
    local bytes = a + 256 * (b + 256 * (c + 256 * d))
    if bytes > 0 and 4 + bytes <= #head then
      for at = 1, #ids do
        if mayHold(head, 8 * bytes, ids[at]) then
          holding[#holding + 1] = i
          break
        end
      end
    end
  end
end
return holding
