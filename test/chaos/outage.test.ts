import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { storm } from './storm.ts';

const STALE_AFTER_SECONDS = 2;

const WAYS_TO_KEEP_DATA = {
  'a snapshot': ['--save', '3600 1000000'],
  'an append-only file': ['--appendonly', 'yes', '--appendfsync', 'always'],
} as const;

for (const [what, targetArgs] of Object.entries(WAYS_TO_KEEP_DATA)) {
  test.concurrent(`nobody is stale after an outage longer than the threshold, back with ${what} (P10)`, async (context) => {
    let outages = 0;
    await storm(context, {
      seconds: 1,
      targetArgs,
      staleAfterSeconds: STALE_AFTER_SECONDS,
      settings: { minStaleAfter: '1s', staleAfter: `${STALE_AFTER_SECONDS}s` },
      gust: async ({ target, swarm, random }) => {
        await random.moment(500, 1_500);
        swarm.stir(false);
        await target.shutDown();
        await pause((STALE_AFTER_SECONDS + 1) * 1000);
        await target.comeBack();
        await swarm.cameBack();
        swarm.stir(true);
        outages++;
        // Until then even those who fell silent long ago keep all they have: the auditor looks.
        const up = async () => Number(/uptime_in_seconds:(\d+)/.exec(await target.redis.info('server'))?.[1]);
        await eventually(async () => (await up()) > STALE_AFTER_SECONDS, true, 30_000);
      },
    });
    expect(outages).toBeGreaterThan(0);
  });
}
