--[[ announce: say in a stream who was swept, each of them once.
  WHY LUA  "was it said?", "say it" and "it was" must be one step: who sends this may end, and the next run sends it again.
  BOUND    the caller sends at most 400 coordinators a call: they take about 1 ms.
  SAFE TO  repeat, race and interrupt: of whom it was said, by this call or another, it is not said again.
  KEYS     the stream, then for each coordinator the key that says that it was said
  ARGV     1: how many entries the stream keeps, 2: what the message begins with, 3: what it ends with, 4: for how many ms it
           stays known that it was said, then for each coordinator what is said of it
  RETURNS  of how many it was said now ]]
local said, marks = {}, {}
for i = 1, #KEYS - 1 do
  -- Removes nothing. What comes first and is no removal is refused where memory is full.
  if redis.call('EXISTS', KEYS[1 + i]) == 0 and redis.call('UNLINK', KEYS[1 + i]) == 0 then
    said[#said + 1] = ARGV[4 + i]
    marks[#marks + 1] = 1 + i
  end
end
if #said == 0 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'message', ARGV[2] .. table.concat(said, ',') .. ARGV[3])
for i = 1, #marks do redis.call('SET', KEYS[marks[i]], 'said', 'PX', ARGV[4]) end
return #said
