--[[ toTrash: move what was set aside in one slot to the trash, and note what time to live each of them had.
  WHY LUA  "how long would it still live?", "move" and "let it go after a while" must be one step: nobody looks for what lies in the
           trash without an end; and a slot's keys go in one call.
  BOUND    the caller sends at most 256 things a call: they take about 0.5 ms.
  SAFE TO  repeat, race and interrupt: what is not aside any more is no error, and leaves what is noted as it is.
  KEYS     n things aside, then their n names in the trash, then the key that holds their times to live
  ARGV     1: how many ms the trash keeps them
  RETURNS  how many of them went ]]
local redis, KEYS = redis, KEYS
local count, keep = (#KEYS - 1) / 2, tonumber(ARGV[1])
-- As lua/sweep.lua notes it: numbers of 14 digits, how long the trash keeps them and then what each had left, from BASE on.
local DIGITS, BASE, MOST = 14, 10000000000000, 89999999999999
local moved = 0
for i = 1, count do
  local left = redis.call('PTTL', KEYS[i])
  if left ~= -2 and redis.call('RENAMENX', KEYS[i], KEYS[count + i]) == 1 then
    redis.call('PEXPIRE', KEYS[count + i], keep)
    moved = moved + 1
    -- After something was moved: where memory is full it would else be refused.
    if left >= 0 then
      redis.call('SETRANGE', KEYS[#KEYS], i * DIGITS, string.format('%.0f', BASE + math.min(left, MOST)))
    end
  end
end
-- Also where none had any: that it is not there says that it was evicted.
if moved > 0 then
  redis.call('SETRANGE', KEYS[#KEYS], 0, string.format('%.0f', BASE + keep))
  redis.call('PEXPIRE', KEYS[#KEYS], keep)
end
return moved
