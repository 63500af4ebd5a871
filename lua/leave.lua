--[[ leave: a coordinator that ends in good order takes its heartbeat with it.
  WHY LUA  "is it still mine?" and "remove" must be one step: another process may have begun to beat under the same id.
  BOUND    one key.
  SAFE TO  repeat, race and interrupt: a heartbeat that is gone, or another's, is left as it is.
  KEYS     the heartbeat
  ARGV     1: the value that was written last
  RETURNS  1 when it is removed, 0 when it was gone or another's ]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
