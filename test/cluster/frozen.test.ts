/** What a process does that stood still (SIGSTOP, a suspended machine) for so long that others took it for killed. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ServerCalls } from '../../src/redis/call/calls.ts';
import { slotOfText, tagOf } from '../../src/redis/cluster/calls/slots.ts';
import { bringBack } from '../../src/redis/restore.ts';
import { Link } from '../../src/redis/target/link.ts';
import { restore } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { primaryOf } from '../support/clusterServers.ts';
import { ageWords, cleanCluster, settleIn, useCluster } from '../support/cluster.ts';
import { beat, everythingOf, heartbeatOf, STALE } from '../support/world.ts';

const place = useCluster();
const settings = { trash: '1h' };
const FROZEN_MS = 70_000;

/** Holds up whoever comes, once `hold` was called, until `release`. */
class Stop {
  release = () => {};
  #reach = () => {};
  #held: Promise<void> | null = null;
  readonly reached = new Promise<void>((resolve) => {
    this.#reach = resolve;
  });

  async hold(): Promise<void> {
    this.#held ??= new Promise<void>((resolve) => {
      this.release = resolve;
    });
    this.#reach();
    await this.#held;
  }
}

test('goes no further: what others restore meanwhile takes no name of which it would put back a later thing (P1)', async () => {
  const { redis, url } = place.current;
  await settleIn(place.current, 'c', STALE);
  expect((await cleanCluster(place.current, { settings })).coordinators.swept).toBe(1);
  const [heartbeat, ...names] = everythingOf('c') as [string, ...string[]];
  for (const name of names) await redis.set(name, 'later');
  await redis.set(heartbeat, beat(Date.now() - 2 * STALE * 1000, 'c'));

  const [frozen, slow] = [new Stop(), new Stop()];
  let renamed = 0;
  const run = cleanCluster(place.current, {
    settings,
    mostInBurst: 1,
    after: async (name) => {
      if (name === 'renamenx' && ++renamed < names.length) await frozen.hold();
    },
    before: async (name) => {
      if (name === 'mget' && renamed > 0) await slow.hold();
    },
  }).catch((error: Error) => error.message);
  await frozen.reached;
  await ageWords(place.current);
  await redis.set(heartbeatOf('c'), beat(Date.now(), 'c'));
  // Puts back what the frozen one has aside.
  const wanted = { coordinator: Buffer.from('c') };
  await restore(targetOf(url, settings), wanted);
  for (const name of names) expect(await redis.get(name)).toBe('later');

  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + FROZEN_MS);
  onTestFinished(() => clock.mockRestore());
  frozen.release();
  if ((await Promise.race([run, slow.reached])) === undefined) {
    await restore(targetOf(url, settings), wanted);
    slow.release();
  }
  const ended = await run;
  expect(await Promise.all(names.map(async (name) => await redis.get(name)))).toEqual(names.map(() => 'later'));
  expect(ended).toMatch(/stood still for so long/);
  clock.mockRestore();
  expect((await cleanCluster(place.current, { settings })).coordinators).toMatchObject({ active: 1, swept: 0 });
});

test('is refused by the nodes themselves once its word could be taken for that of a killed one: heartbeats stay, for the next run to go on (P3)', async () => {
  const ids = ['a', 'b', 'd', 'e'];
  for (const id of ids) await settleIn(place.current, id, STALE);
  let [hasScanned, isAside] = [false, false];
  let late: Promise<void> | null = null;
  const run = cleanCluster(place.current, {
    after: (name, reply) => {
      hasScanned ||= name === 'scan';
      isAside ||= name === 'unlink';
      // As if it had said its word, and looked at clocks, most of a minute before.
      if (name === 'time' && hasScanned && Array.isArray(reply)) reply[0] = `${Number(reply[0]) - 42}`;
    },
    before: async (name) => {
      if (!isAside || !name.startsWith('eval')) return;
      late ??= pause(4_500);
      await late;
    },
  });
  await expect(run).rejects.toThrow(/stood still for so long/);
  const { redis } = place.current;
  const left = await Promise.all(ids.map(async (id) => await redis.exists(heartbeatOf(id))));
  expect(left).toEqual([1, 1, 1, 1]);
  expect((await cleanCluster(place.current)).coordinators).toMatchObject({ stale: 4, swept: 4 });
});

test('brings nothing back then', async () => {
  const { redis } = place.current;
  const name = everythingOf('c')[1] as string;
  const node = place.current.nodes[primaryOf(slotOfText(name), 3)] as (typeof place.current.nodes)[0];
  const key = `stalesweep:trash:{${tagOf(slotOfText(name))}}:${name}`;
  await redis.set(key, '1');
  const thing = { key: Buffer.from(key), name: Buffer.from(name), ttls: `${key}:ttls`, position: 0 };
  const link = await Link.open(targetOf(node.url));
  const calls = new ServerCalls(link.redis);
  const [now] = await node.redis.time();
  try {
    await expect(bringBack(calls, [thing], Number(now) - 1)).rejects.toThrow(/^LATE /);
    expect(await redis.exists(name)).toBe(0);
    expect((await bringBack(calls, [thing], Number(now) + 60)).became, 'nothing was noted of it').toEqual(['timeless']);
  } finally {
    link.close();
  }
});
