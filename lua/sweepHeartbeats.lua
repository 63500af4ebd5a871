--[[ sweepHeartbeats: remove heartbeats of one slot that are still as they were judged, once everything else of their owners has gone.
  WHY LUA  "is it still as judged?" and "remove" must be one step: its owner may beat again between two round trips.
  BOUND    the caller sends at most 100 a call: they take less than 0.5 ms.
  SAFE TO  repeat, race and interrupt: each is compared by itself, right before it goes; one that is gone is no error.
  KEYS     n heartbeats
  ARGV     n proofs: the value that was judged, or, where that is longer than 64 bytes, that or "#" and its SHA-1
  RETURNS  how many of them went ]]
local removed = 0
for i = 1, #KEYS do
  local value = redis.call('MGET', KEYS[i])[1]
  local proof = ARGV[i]
  if value and (value == proof or (#value > 64 and proof == '#' .. redis.sha1hex(value))) then
    removed = removed + redis.call('UNLINK', KEYS[i])
  end
end
return removed
