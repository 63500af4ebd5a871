import { expect, test } from 'vitest';
import { expectTotals } from './metrics.ts';
import { failToSave, saveAgain } from './server.ts';
import { storm } from './storm.ts';

/** A server that loses nothing it has answered for. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

test.concurrent('no active coordinator loses a key while the target and the queue are restarted and killed, with their data (P1)', async (context) => {
  const after = await storm(context, {
    seconds: 4,
    within: true,
    settings: { restartGrace: false },
    targetArgs: DURABLE,
    queueArgs: DURABLE,
    gust: async ({ target, queue, random }) => {
      await random.moment(300, 1_200);
      const server = random.pick([target, queue]) ?? target;
      if (random.next() < 0.5) await server.kill();
      else await server.shutDown();
      await random.moment(0, 500);
      await server.comeBack();
    },
  });
  expect(after.reported).toBeLessThanOrEqual(after.swept);
});

test.concurrent('no active coordinator loses a key while the target is read-only and forgets scripts (P1)', async (context) => {
  const after = await storm(context, {
    seconds: 4,
    within: true,
    // Who was a replica for a moment may have lost what it held: silence would count from then on (P10).
    settings: { restartGrace: false },
    gust: async ({ target: { redis }, random }) => {
      await random.moment(50, 500);
      await redis.script('FLUSH');
      if (random.next() < 0.6) return;
      // A primary that never answers: it keeps its data, and takes no writes.
      await redis.replicaof('127.0.0.1', 1);
      await random.moment(50, 900);
      await redis.replicaof('NO', 'ONE');
    },
  });
  expect(after.reported).toBe(after.swept);
});

test.concurrent('no active coordinator loses a key while the target is full or can not save; retries are counted in full (P1)', async (context) => {
  const after = await storm(context, {
    seconds: 4,
    env: { STALESWEEP_METRICS_PORT: '0' },
    targetArgs: ['--save', '3600 1000000', '--maxmemory-policy', 'noeviction'],
    gust: async ({ target, random }) => {
      await random.moment(100, 900);
      if (random.next() < 0.5) {
        await target.redis.config('SET', 'maxmemory', '1');
        await random.moment(100, 900);
        await target.redis.config('SET', 'maxmemory', '0');
      } else {
        await failToSave(target);
        await random.moment(50, 500);
        await saveAgain(target);
      }
    },
    after: async ({ fleet }, aftermath) => await expectTotals(fleet.members, aftermath),
  });
  expect(after.reported).toBe(after.swept);
});
