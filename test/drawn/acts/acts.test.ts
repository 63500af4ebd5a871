import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { useRedis } from '../../support/leaks.ts';
import { groundOn } from '../ground.ts';
import { round } from './round.ts';

const server = useRedis();
const ROUNDS = 2;
const ACTS = 6;

test('in whatever order people beat and vanish, and runs look, are cut off or fail: who lives keeps all, and who was seen and died leaves nothing', async () => {
  const ground = await groundOn(server.current);
  const first = randomInt(1_000_000_000);
  let swept = 0;
  try {
    // Where hardly anybody is drawn, nobody may have died.
    for (let seed = first; seed < first + ROUNDS || swept === 0; seed++) {
      const { drawn, wrong, swept: some } = await round(ground, seed, ACTS);
      swept += some;
      expect(wrong.slice(0, 3), JSON.stringify(drawn)).toEqual([]);
    }
  } finally {
    ground.leave();
  }
});
