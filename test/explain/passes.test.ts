import { expect, test } from 'vitest';
import { targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, settle, STALE } from '../support/world.ts';
import { ask } from './asking.ts';

const server = useRedis();
const IDS = 30;

async function scans(): Promise<number> {
  const info = await server.current.redis.info('commandstats');
  return Number(/cmdstat_scan:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

test('of many ids whose swarms are not known is told what is told of each, and the keyspace is walked once', async () => {
  const { redis, url } = server.current;
  const target = targetOf(url, { schema: 'swarm', restartGrace: false });
  const ids = Array.from({ length: IDS }, (_, n) => `c${n}`);
  for (const [n, id] of ids.entries()) await settle(redis, id, n % 2 === 0 ? ACTIVE : STALE);
  const before = await scans();
  const one = await ask(target, [ids[0] ?? '']);
  const forOne = (await scans()) - before;
  const all = await ask(target, ids);
  expect((await scans()) - before).toBe(2 * forOne);
  expect(all.map(({ verdict }) => verdict)).toEqual(ids.map((_, n) => (n % 2 === 0 ? 'stays' : 'goes')));
  expect(all[0]?.owners.map(({ coordinator }) => coordinator)).toEqual(
    one[0]?.owners.map(({ coordinator }) => coordinator),
  );
});
