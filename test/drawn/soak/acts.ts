/** soak: the stories of test/drawn/acts, ever new and longer ones, until Ctrl-C, for `SOAK_MINUTES`, or until one is wrong; `DRAWN_SEED` repeats one. */
import { expect, test } from 'vitest';
import { useRedis } from '../../support/leaks.ts';
import { round } from '../acts/round.ts';
import { groundOn } from '../ground.ts';

const ACTS = 12;
const SAY_EVERY = 100;
const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const server = useRedis();
const startedAt = performance.now();

test('for as long as one likes, in whatever order people beat and vanish: who lives keeps all, and who was seen and died leaves nothing', async () => {
  const ground = await groundOn(server.current);
  let seed = Number(process.env.DRAWN_SEED || Date.now() % 1_000_000_000);
  const sum = { stories: 0, swept: 0 };
  try {
    for (; performance.now() - startedAt < minutes * 60_000; seed++) {
      const { drawn, wrong, swept } = await round(ground, seed, ACTS);
      expect(wrong.slice(0, 3), `DRAWN_SEED=${seed} ${JSON.stringify(drawn)}`).toEqual([]);
      sum.stories++;
      sum.swept += swept;
      if (sum.stories % SAY_EVERY === 0) console.log(JSON.stringify(sum));
    }
  } finally {
    ground.leave();
    console.log(JSON.stringify(sum));
  }
});
