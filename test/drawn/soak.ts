/** soak: the same rounds as the test of this room, ever new ones, until Ctrl-C, for `SOAK_MINUTES`, or until one is wrong; `DRAWN_SEED`
 * repeats one. */
import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { groundOn } from './ground.ts';
import { round } from './round.ts';

const SAY_EVERY = 100;
const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const server = useRedis();
const startedAt = performance.now();

test('for as long as one likes, what is drawn is left as the promises say, and told of as it went', async () => {
  const ground = await groundOn(server.current);
  let seed = Number(process.env.DRAWN_SEED || Date.now() % 1_000_000_000);
  const sum = { rounds: 0, keys: 0, comebacks: 0 };
  try {
    for (; performance.now() - startedAt < minutes * 60_000; seed++) {
      const { drawn, wrong, keys, comebacks } = await round(ground, seed);
      expect(wrong, `DRAWN_SEED=${seed} ${JSON.stringify(drawn)}`).toEqual([]);
      sum.rounds++;
      sum.keys += keys;
      sum.comebacks += comebacks;
      if (sum.rounds % SAY_EVERY === 0) console.log(JSON.stringify(sum));
    }
  } finally {
    ground.leave();
    console.log(JSON.stringify(sum));
  }
});
