import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { groundOn } from './ground.ts';
import { round } from './round.ts';

const server = useRedis();
const ROUNDS = 13;

test('whatever is drawn, and whoever comes back meanwhile: nobody loses anything, all that may go goes, and what the run says of it is so', async () => {
  const ground = await groundOn(server.current);
  const first = randomInt(1_000_000_000);
  try {
    for (let seed = first; seed < first + ROUNDS; seed++) {
      const { drawn, wrong } = await round(ground, seed);
      expect(wrong, JSON.stringify(drawn)).toEqual([]);
    }
  } finally {
    ground.leave();
  }
});
