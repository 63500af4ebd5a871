import { expect, test } from 'vitest';
import { type Running, start } from '../../support/cli.ts';
import { expectTotals } from '../metrics.ts';
import { storm } from '../storm.ts';

test('no active coordinator loses a key while connections are cut, held up, and lose what is sent (P1)', async (context) => {
  let dashboard: Running | undefined;
  const after = await storm(context, {
    seconds: 4,
    before: async ({ env }) => {
      dashboard = start(['dashboard'], { ...env, STALESWEEP_PORT: '0' });
      await dashboard.says('dashboard started');
    },
    gust: async ({ toTarget, toQueue, random }) => {
      await random.moment(100, 900);
      const way = random.pick([toTarget, toQueue]) ?? toTarget;
      const what = random.pick(['cut', 'stall', 'lose'] as const);
      way[what ?? 'cut']();
      await random.moment(50, 700);
      way.clear();
    },
    after: async (_, aftermath) => {
      if (dashboard) await expectTotals([dashboard], aftermath);
      expect((await dashboard?.kill('SIGTERM'))?.code).toBe(0);
    },
  });
  expect(after.reported).toBeLessThanOrEqual(after.swept);
});

test('no active coordinator loses a key while clients are killed and paused in a Redis that is queue and target (P1)', async (context) => {
  const after = await storm(context, {
    seconds: 4,
    together: true,
    schema: 'flat',
    gust: async ({ target: { redis }, random }) => {
      await random.moment(100, 600);
      if (random.next() < 0.5) {
        await redis.call('CLIENT', 'PAUSE', random.between(50, 800), random.pick(['ALL', 'WRITE']) ?? 'ALL');
        return;
      }
      const clients = String(await redis.call('CLIENT', 'LIST')).split('\n');
      const ids = clients.flatMap((line) => (line.includes('name=fixture') ? [] : (/^id=(\d+)/.exec(line)?.[1] ?? [])));
      for (const id of random.sample(ids, random.between(1, ids.length))) await redis.call('CLIENT', 'KILL', 'ID', id);
    },
  });
  expect(after.reported).toBeLessThanOrEqual(after.swept);
});
