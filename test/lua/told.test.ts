import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Bulk } from '../../src/redis/call/bulk.ts';
import { ServerCalls } from '../../src/redis/call/calls.ts';
import { Trash } from '../../src/redis/trash/names.ts';
import { type SweepResult, sweep } from '../../src/redis/sweep.ts';
import { Random } from '../chaos/random.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();
const DAY_MS = 86_400_000;
const ROUNDS = 40;
/** As the script has it: so many are counted at a time; and so many go one by one, after two times of which only some were there. */
const TOGETHER = 32;
const ALONE = 8 * TOGETHER;

/** Removes these names, as one family that is to be told. */
async function removeTold(names: readonly string[], trash: Trash | null = null): Promise<SweepResult> {
  const none = { judged: { keys: new Bulk(), proofs: new Bulk() }, absent: new Bulk(), heartbeats: 0 };
  const chunk = { ...none, families: [Bulk.of([...names])], told: [true], trash };
  return await sweep(new ServerCalls(server.current.redis), chunk);
}

/** Writes those that are there; every command of the server is counted from then on. */
async function write(names: Iterable<string>): Promise<void> {
  const { redis } = server.current;
  await redis.flushall();
  const pairs = [...names].flatMap((name) => [name, '1']);
  if (pairs.length > 0) await redis.mset(...pairs);
  await redis.config('RESETSTAT');
}

async function callsOf(command: 'exists' | 'unlink'): Promise<number> {
  const info = await server.current.redis.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `key:${i}`);

/** Some hundred names of which stretches are there, or are not, or some of them; and some stand twice, side by side or far apart. */
function drawNames(random: Random): { readonly names: readonly string[]; readonly there: ReadonlySet<string> } {
  const names: string[] = [];
  const there = new Set<string>();
  for (let stretch = random.between(1, 8); stretch > 0; stretch--) {
    const kind = random.pick(['all', 'none', 'some', 'all but one'] as const);
    const length = random.between(1, 3 * TOGETHER);
    const lacks = random.between(0, length - 1);
    for (let i = 0; i < length; i++) {
      const name = `key:${names.length}`;
      const isThere = { all: true, none: false, some: random.between(0, 1) === 0, 'all but one': i !== lacks };
      if (isThere[kind ?? 'all']) there.add(name);
      names.push(name);
    }
  }
  for (let twice = random.pick([0, 0, 1, 5]) ?? 0; twice > 0; twice--) {
    const from = random.between(0, names.length - 1);
    names.splice(random.pick([from, from + 1, names.length]) ?? 0, 0, names[from] as string);
  }
  return { names, there };
}

describe('lua/sweep.lua, asked which keys were not there', () => {
  const places: readonly (readonly [string, () => Trash | null])[] = [
    ['for good', () => null],
    ['into the trash', () => new Trash(DAY_MS, 'told', 1)],
  ];
  test.each(places)(
    'tells each of them, and of a name that stands twice the second, when they go %s',
    async (_, trashFor) => {
      const { redis } = server.current;
      const first = randomInt(1_000_000_000);
      for (let seed = first; seed < first + ROUNDS; seed++) {
        const { names, there } = drawNames(new Random(seed));
        await write(there);
        const seen = new Set<string>();
        const missing = names.flatMap((name, i) => {
          const isFirst = !seen.has(name);
          seen.add(name);
          return isFirst && there.has(name) ? [] : [i];
        });
        const result = await removeTold(names, trashFor());
        expect(result, `seed ${seed}`).toMatchObject({ removed: [there.size], missing });
        expect(await redis.exists(...names), `seed ${seed}`).toBe(0);
      }
    },
  );

  test('asks for so many at a time where all are there, or none', async () => {
    const names = named(20 * TOGETHER);
    await write(names);
    await removeTold(names);
    expect([await callsOf('exists'), await callsOf('unlink')]).toEqual([20, 20]);
    await write([]);
    await removeTold(names);
    expect([await callsOf('exists'), await callsOf('unlink')]).toEqual([20, 0]);
  });

  test('goes one by one for a while after two times of which only some were there, and then looks again', async () => {
    const names = named(2 * (2 * TOGETHER + ALONE));
    await write(names.filter((_, i) => i % 2 === 0));
    await removeTold(names);
    expect([await callsOf('exists'), await callsOf('unlink')]).toEqual([4, names.length]);
    // With one that is all there between, nothing is concluded.
    const mixedInTurn = named(8 * TOGETHER);
    await write(mixedInTurn.filter((_, i) => i % (2 * TOGETHER) !== 0));
    await removeTold(mixedInTurn);
    expect([await callsOf('exists'), await callsOf('unlink')]).toEqual([8, 4 * TOGETHER + 4]);
  });
});
