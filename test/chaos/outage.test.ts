import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { ACTIVE, heartbeatOf, keysIn, settle } from '../support/world.ts';
import { eventually } from './eventually.ts';
import { Server } from './server.ts';
import { storm } from './storm.ts';

const WAYS_TO_KEEP_DATA = {
  'a snapshot': ['--save', '3600 1000000'],
  'an append-only file': ['--appendonly', 'yes', '--appendfsync', 'always'],
} as const;

/** Makes every heartbeat an hour older: what an outage of an hour does, without the hour. */
const AGE = `
for _, key in ipairs(redis.call('KEYS', '${heartbeatOf('*', '*')}')) do
  local aged = string.gsub(redis.call('GET', key), '"timestamp":(%d+)', function(at)
    return string.format('"timestamp":%.0f', at - 3600000)
  end)
  redis.call('SET', key, aged)
end`;
async function age(redis: Redis): Promise<unknown> {
  return await redis.eval(AGE, 0);
}

test.each(Object.entries(WAYS_TO_KEEP_DATA))(
  'nobody is stale after an outage longer than the threshold, back with %s (P10)',
  async (_, args) => {
    const target = await Server.start(args);
    try {
      const ids = Array.from({ length: 20 }, (_, n) => `c${n}`);
      for (const id of ids) await settle(target.redis, id, ACTIVE);
      const before = await keysIn(target.redis);
      await target.shutDown();
      await target.whileAway(age);
      await target.comeBack();
      const { coordinators } = await clean(target.url);
      expect(coordinators).toMatchObject({ active: ids.length, stale: 0 });
      expect(await keysIn(target.redis)).toEqual(before);
      // Only since they came back is their silence not counted.
      const strict = await clean(target.url, { settings: { restartGrace: false } });
      expect(strict.coordinators).toMatchObject({ active: 0, stale: ids.length, swept: ids.length });
    } finally {
      await target.stop();
    }
  },
);

const STALE_AFTER_SECONDS = 4;

test('while workers go on, nobody loses a key to an outage longer than the threshold (P1, P10)', async (context) => {
  await storm(context, {
    seconds: 1,
    targetArgs: WAYS_TO_KEEP_DATA['an append-only file'],
    staleAfterSeconds: STALE_AFTER_SECONDS,
    settings: { minStaleAfter: '1s', staleAfter: `${STALE_AFTER_SECONDS}s` },
    gust: async ({ target, toTarget, swarm, random }) => {
      await random.moment(500, 1_500);
      // However long the end takes, nobody who beat before it is swept meanwhile.
      toTarget.stall();
      await swarm.brace();
      await target.shutDown();
      await target.whileAway(age);
      await target.comeBack();
      await swarm.cameBack();
      // Nobody has beaten yet, and runs that were asked for go on.
      toTarget.clear();
      await random.moment(0, 1_500);
      swarm.be('wild');
      const up = async () => Number(/uptime_in_seconds:(\d+)/.exec(await target.redis.info('server'))?.[1]);
      await eventually(async () => (await up()) > STALE_AFTER_SECONDS, true);
    },
  });
});
