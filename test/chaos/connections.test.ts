import { expect, test } from 'vitest';
import { storm, TIMEOUT_MS } from './storm.ts';

test(
  'no active coordinator loses a key while connections are cut, held up, and lose what is sent (P1)',
  async (context) => {
    const after = await storm(context, {
      seconds: 10,
      gust: async ({ toTarget, toQueue, random }) => {
        await random.moment(100, 900);
        const way = random.pick([toTarget, toQueue]) ?? toTarget;
        const what = random.pick(['cut', 'stall', 'lose'] as const);
        way[what ?? 'cut']();
        await random.moment(50, 700);
        way.clear();
      },
    });
    expect(after.reported).toBeLessThanOrEqual(after.swept);
  },
  TIMEOUT_MS,
);

test(
  'no active coordinator loses a key while clients are killed and paused in a Redis that is queue and target (P1)',
  async (context) => {
    const after = await storm(context, {
      seconds: 8,
      together: true,
      schema: 'flat',
      gust: async ({ target: { redis }, random }) => {
        await random.moment(100, 600);
        if (random.next() < 0.5) {
          await redis.call('CLIENT', 'PAUSE', random.between(50, 800), random.pick(['ALL', 'WRITE']) ?? 'ALL');
          return;
        }
        const clients = String(await redis.call('CLIENT', 'LIST')).split('\n');
        const ids = clients.flatMap((line) =>
          line.includes('name=fixture') ? [] : (/^id=(\d+)/.exec(line)?.[1] ?? []),
        );
        for (const id of random.sample(ids, random.between(1, ids.length)))
          await redis.call('CLIENT', 'KILL', 'ID', id);
      },
    });
    expect(after.reported).toBeLessThanOrEqual(after.swept);
  },
  TIMEOUT_MS,
);
