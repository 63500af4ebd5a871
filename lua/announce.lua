--[[ announce: say who was swept, each of them once.
  WHY LUA  "was it said?", "say it" and "it was" must be one step: who sends this may end, and the next run sends it again.
  BOUND    the caller sends at most 400 coordinators a call: they take about 1 ms.
  SAFE TO  repeat, race and interrupt: of whom it was said, by this call or another, it is not said again.
  KEYS     the sets of those of whom it was said, now and before; one that is never there; the stream, if it is said in one
  ARGV     1: the channel, "" for a stream, 2: how many entries that keeps, 3: what the message begins with, 4: what it ends
           with, 5: for how many ms it stays known of whom it was said, then for each coordinator what must not stand in the
           sets, what is to stand there besides, and what is said of it
  RETURNS  of how many it was said now ]]
local parts, tokens = {}, {}
for at = 6, #ARGV, 3 do
  if redis.call('SISMEMBER', KEYS[1], ARGV[at]) == 0 and redis.call('SISMEMBER', KEYS[2], ARGV[at]) == 0 then
    parts[#parts + 1] = ARGV[at + 2]
    tokens[#tokens + 1] = ARGV[at]
    tokens[#tokens + 1] = ARGV[at + 1]
  end
end
if #parts == 0 then return 0 end
-- Removes nothing. What comes first and is no removal is refused where memory is full.
redis.call('UNLINK', KEYS[3])
local message = ARGV[3] .. table.concat(parts, ',') .. ARGV[4]
if ARGV[1] == '' then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[2], '*', 'message', message)
else
  redis.call('PUBLISH', ARGV[1], message)
end
redis.call('SADD', KEYS[1], unpack(tokens))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return #parts
