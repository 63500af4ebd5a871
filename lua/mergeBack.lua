--[[ mergeBack: give back what is in a key that was set aside, where a new one has been begun under its own name: element by element.
  WHY LUA  an element must be in one of the two at any time, and what its owner wrote anew must not be overwritten.
  BOUND    at most ARGV[2] elements, or those that are named: 100 take about 0.2 ms. Big ones take their time to be copied.
  SAFE TO  repeat, race and interrupt: each element goes once, what is left is still aside.
  KEYS     1: the key aside, 2: its own name, 3: what it is called where the two can't be put together; of one slot
  ARGV     1: for how many ms it is kept aside where the two can't be put together, 2: the most elements, then, of a hash, the
           names of the fields to move
  RETURNS  1 when it is all back, 0 when some of it is left, -1 when the two can't be put together and it stays aside for a while,
           where nobody finds it who puts things back ]]
local most = tonumber(ARGV[2])
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return redis.call('EXISTS', KEYS[3]) == 1 and -1 or 1 end
if redis.call('RENAMENX', KEYS[1], KEYS[2]) == 1 then return 1 end

local moves = {
  set = function()
    redis.call('SADD', KEYS[2], unpack(redis.call('SPOP', KEYS[1], most)))
  end,
  zset = function()
    -- A score that was written anew is the later one.
    local some = redis.call('ZPOPMIN', KEYS[1], most)
    for i = 1, #some, 2 do redis.call('ZADD', KEYS[2], 'NX', some[i + 1], some[i]) end
  end,
  list = function()
    -- As a queue has them: what was there before comes before what is new.
    for _ = 1, most do
      if not redis.call('RPOPLPUSH', KEYS[1], KEYS[2]) then break end
    end
  end,
  hash = function()
    for i = 1, #ARGV - 2 do
      local field = ARGV[2 + i]
      local value = redis.call('HGET', KEYS[1], field)
      if value and redis.call('HSETNX', KEYS[2], field, value) == 1 then
        -- Times to live of fields came with 7.4: before, and to who may not ask, these answer with an error, and there are none.
        local at = redis.pcall('HPEXPIRETIME', KEYS[1], 'FIELDS', 1, field)
        if at and at[1] and at[1] > 0 then redis.pcall('HPEXPIREAT', KEYS[2], at[1], 'FIELDS', 1, field) end
      end
      redis.call('HDEL', KEYS[1], field)
    end
  end,
}
if moves[kind] == nil or redis.call('TYPE', KEYS[2]).ok ~= kind then
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 or left > tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
  redis.call('RENAMENX', KEYS[1], KEYS[3])
  return -1
end
moves[kind]()
return redis.call('EXISTS', KEYS[1]) == 0 and 1 or 0
