--[[ putBack: give keys of one slot that were set aside their own names back.
  WHY LUA  "is its name free?" and "rename" must be one step; and a slot's keys go in one call.
  BOUND    the caller sends fewer than 7,900 keys a call, and cuts calls to its budget: 400 keys take about 1 ms.
  SAFE TO  repeat, race and interrupt: nothing is overwritten, and what is not aside any more is no error.
  KEYS     n keys aside, then their n own names
  ARGV     none
  RETURNS  for each key 1 when it is back, 0 when it was not aside, -1 when its name has been written anew: mergeBack has those ]]
local count = #KEYS / 2
local became = {}
for i = 1, count do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    became[i] = 0
  else
    became[i] = redis.call('RENAMENX', KEYS[i], KEYS[count + i]) == 1 and 1 or -1
  end
end
return became
