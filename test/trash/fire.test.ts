import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { Random } from '../chaos/random.ts';
import { useRedis } from '../support/leaks.ts';
import { urlFor, STRATEGIES } from '../support/users.ts';
import { fire } from './fire.ts';

const server = useRedis();
const MORE = ['+renamenx', '+pexpire', '+persist', '+set', '+pttl'];
const ROUNDS = Number(process.env.FIRE_ROUNDS ?? 3);

test('whatever happens to a trash at once: nothing is lost, overwritten or given back twice, and what is said is true', async () => {
  const { redis, url } = server.current;
  const unscripted = STRATEGIES.find(([name]) => name === 'transaction')?.[1] ?? [];
  const urls = [url, await urlFor(server.current, [...unscripted, ...MORE])];
  const first = Number(process.env.DRAWN_SEED ?? randomInt(1_000_000_000));
  let restored = 0;
  for (let seed = first; seed < first + ROUNDS || restored === 0; seed++) {
    const done = await fire({
      redis,
      urls,
      random: new Random(seed),
      coordinators: Number(process.env.FIRE_MANY ?? 20),
    });
    expect(done.wrong.slice(0, 5), `DRAWN_SEED=${seed}`).toEqual([]);
    restored += done.restored;
  }
}, 300_000);
