--[[ replaceSightings: put newly written sightings in the place of those that stand, if these are still the ones expected.
  WHY LUA  "does it still stand?" and "put in place" must be one step: two runs of a target may end at the same time.
  BOUND    seven calls at most, none of which looks at the sightings themselves. Takes less than 0.1 ms.
  SAFE TO  repeat, race and interrupt: of two that expect the same version one wins; who asks again is told the same again.
           What stands there and is no version (of another type, or written by somebody else) counts as none.
  KEYS     1: what says which version stands, 2: the new sightings, 3: those of the expected version, if there is one
  ARGV     1: the expected version, "" for none, 2: the new version, 3: how many blocks it has, 4: the seconds it is kept,
           5: the seconds the replaced ones stay for those who are reading them
  RETURNS  1 when the new version stands, 0 when another one does or the new sightings are not complete ]]
local standing = ''
if redis.call('TYPE', KEYS[1]).ok == 'string' then standing = redis.call('GETRANGE', KEYS[1], 0, 63) end
if not string.find(standing, '^%x+:%d+$') then standing = '' end
if standing == ARGV[2] then return 1 end
if standing ~= ARGV[1] then return 0 end
-- A writer that was stopped for long may have lost what it wrote first.
if redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[3]) then return 0 end

redis.call('EXPIRE', KEYS[2], ARGV[4])
if standing == '' then redis.call('UNLINK', KEYS[1]) else redis.call('EXPIRE', KEYS[3], ARGV[5]) end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
return 1
