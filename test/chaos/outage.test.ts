import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { start } from '../support/cli.ts';
import { eventually } from './eventually.ts';
import { storm } from './storm.ts';

const STALE_AFTER_SECONDS = 4;
/** After that long at most, coordinators beat again: well before anybody is stale. */
const RECOVERY_MS = 1_500;

const WAYS_TO_KEEP_DATA = {
  'a snapshot': ['--save', '3600 1000000'],
  'an append-only file': ['--appendonly', 'yes', '--appendfsync', 'always'],
} as const;

for (const [what, targetArgs] of Object.entries(WAYS_TO_KEEP_DATA)) {
  test.concurrent(`nobody is stale after an outage longer than the threshold, back with ${what} (P10)`, async (context) => {
    await storm(context, {
      seconds: 1,
      targetArgs,
      staleAfterSeconds: STALE_AFTER_SECONDS,
      settings: { minStaleAfter: '1s', staleAfter: `${STALE_AFTER_SECONDS}s` },
      gust: async ({ target, swarm, random, env }) => {
        await random.moment(500, 1_500);
        await swarm.brace();
        await target.shutDown();
        await pause((STALE_AFTER_SECONDS + 1) * 1000);
        await target.comeBack();
        await swarm.cameBack();
        const up = async () => Number(/uptime_in_seconds:(\d+)/.exec(await target.redis.info('server'))?.[1]);
        // Nobody has beaten yet, and every heartbeat is older than the threshold.
        const running = start(['run', '--json'], env, undefined, context.onTestFinished).ended;
        await Promise.race([running, pause(RECOVERY_MS)]);
        swarm.be('wild');
        const { stdout, stderr } = await running;
        // A machine may be too busy for a run within these seconds.
        if ((await up()) < STALE_AFTER_SECONDS) {
          expect(JSON.parse(stdout || stderr).coordinators).toMatchObject({ stale: 0 });
        }
        await eventually(async () => (await up()) > STALE_AFTER_SECONDS, true, 30_000);
      },
    });
  });
}
