/** one script: what people write next: one Lua call that scans, judges and deletes everything. This is its best form: the usual
 * one scans once per coordinator and unpacks all keys, which takes minutes at 7,000 coordinators and fails beyond. Like the
 * loop it can handle the easy data alone. */
import { Redis } from 'ioredis';
import ms, { type StringValue } from 'ms';
import { NAMES, WILDCARDS } from '../keys.ts';
import { contend } from './contend.ts';

const SCRIPT = `
local seconds = tonumber(redis.call('TIME')[1])
local stale = {}
local function each(pattern, visit)
  local cursor = '0'
  repeat
    local page = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do visit(key) end
  until cursor == '0'
end
each(ARGV[1], function(heartbeat)
  local value = redis.call('GET', heartbeat)
  if not value or seconds - cjson.decode(value).timestamp / 1000 <= tonumber(ARGV[2]) then return end
  local swarm, id = string.match(heartbeat, '^swarm:([^:]+):blocking:heartbeat:(.+)$')
  id = id or string.match(heartbeat, '^blocking:heartbeat:(.+)$')
  local activity = swarm and 'swarm:' .. swarm .. ':agent:' .. id .. ':activity' or 'coordinator:activity:' .. id
  redis.call('DEL', 'blocking:signal:' .. id, 'blocking:idempotency:' .. id, activity, heartbeat)
  stale[id] = true
end)
for position = 3, #ARGV do
  each(ARGV[position], function(key)
    if stale[string.match(key, '^blocking:%a+:([^:]+)')] then redis.call('DEL', key) end
  end)
end`;

contend(async ({ url, sample: { schema }, staleAfter }) => {
  const redis = new Redis(url);
  await redis.ping();
  const limitSeconds = ms(staleAfter as StringValue) / 1000;
  return {
    go: async () => {
      await redis.eval(SCRIPT, 0, NAMES[schema].heartbeats, limitSeconds, ...WILDCARDS);
      return { calls: 1 };
    },
    close: () => redis.disconnect(),
  };
});
