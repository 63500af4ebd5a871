import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConnectionLost } from '../../src/redis/call/lost.ts';
import { cleanCluster, settleIn, useCluster } from '../support/cluster.ts';
import { gone, pastIn, remember } from '../lapsed/scene.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, heartbeatOf, STALE } from '../support/world.ts';

const queue = useRedis();
const place = useCluster();
const WHERE = { channel: { channel: 'swept' }, stream: { stream: 'swept', maxLength: 1_000 } } as const;
const ways = ['channel', 'stream'] as const;
type Way = (typeof ways)[number];

interface Said {
  readonly run: string;
  readonly target: string;
  readonly coordinators: readonly { readonly id: string; readonly swarm: string | null }[];
}

function pick(below: number) {
  return Math.floor(Math.random() * below);
}

/** What is said from now on, by any node; resolves to who was named, in order. */
async function listen(way: Way): Promise<() => Promise<string[]>> {
  const said: Said[] = [];
  const ear = place.current.nodes[pick(3)]?.redis.duplicate({ connectionName: 'fixture' }) as Redis;
  onTestFinished(() => ear.disconnect());
  await ear.subscribe('swept');
  ear.on('message', (_, message) => said.push(JSON.parse(message) as Said));
  return async () => {
    if (way === 'stream') {
      for (const [, fields] of await place.current.redis.xrange('swept', '-', '+'))
        said.push(JSON.parse(fields[1] ?? ''));
    } else {
      // What each node said before has come once this has.
      for (const [i, { redis }] of place.current.nodes.entries()) {
        await redis.publish('swept', JSON.stringify({ run: `end ${i}`, coordinators: [] }));
        await expect.poll(() => said.some(({ run }) => run === `end ${i}`)).toBe(true);
      }
    }
    return said.flatMap(({ coordinators }) => coordinators.map(({ id, swarm }) => `${swarm}/${id}`)).sort();
  };
}

/** Some share a slot, some do not. */
function idsOf(count: number) {
  return Array.from({ length: count }, (_, i) => (i % 3 === 0 ? `{t${i % 4}}c${i}` : `c${i}`));
}
function named(ids: readonly string[]) {
  return ids.map((id) => `s1/${id}`).sort();
}
async function own() {
  return (await place.current.keys()).filter((key) => /^stalesweep:announced:(?!\{.*\}:of:)/.test(key));
}

/** All of these stale, some of them without a heartbeat any more; resolves to these. */
async function settleSomeLapsed(ids: readonly string[]): Promise<readonly string[]> {
  const lapsed = ids.filter(() => pick(2) === 0);
  for (const id of ids) {
    await settleIn(place.current, id, STALE);
    if (lapsed.includes(id)) await place.current.redis.del(heartbeatOf(id));
  }
  await remember(
    queue.current.redis,
    gone(...lapsed).map((seen) => ({ ...seen, swarm: 's1' })),
  );
  return lapsed;
}

describe.each(ways)('on a cluster a %s tells', (way) => {
  const settings = { announce: WHERE[way], trash: pick(2) === 0 ? '0s' : '1h' };

  test('of everybody who is swept, once, and of nobody who beats again before', async () => {
    const ids = idsOf(24);
    for (const id of ids) await settleIn(place.current, id, STALE);
    const heard = await listen(way);
    const back = ids[pick(24)] as string;
    let calls = 0;
    const report = await cleanCluster(place.current, {
      settings,
      after: async (name) => {
        if (name === 'renamenx' && ++calls === 1)
          await place.current.redis.set(heartbeatOf(back), beat(Date.now() - ACTIVE, back));
      },
    });
    const { swept, revived } = report.coordinators;
    expect(swept + revived).toBe(24);
    expect(await heard()).toEqual(named(revived === 0 ? ids : ids.filter((id) => id !== back)));
    expect(await own()).toEqual([]);
  });

  test('of each once, whatever answers are lost', async () => {
    const ids = idsOf(24);
    for (const id of ids) await settleIn(place.current, id, STALE);
    const heard = await listen(way);
    let calls = 0;
    const every = 2 + pick(4);
    const report = await cleanCluster(place.current, {
      settings,
      mostInBurst: 1 + pick(10),
      after: (name) => {
        if (name === 'evalsha' && ++calls % every === 0) throw new ConnectionLost(null);
      },
    });
    expect(calls).toBeGreaterThan(every);
    expect(report.coordinators).toMatchObject({ stale: 24, swept: 24 });
    expect(await heard()).toEqual(named(ids));
  });

  test('of the lapsed once, who have no heartbeat any more, whatever answers are lost', async () => {
    const ids = idsOf(20);
    const lapsed = await settleSomeLapsed(ids);
    const heard = await listen(way);
    let calls = 0;
    const report = await cleanCluster(place.current, {
      settings: { ...settings, restartGrace: false },
      sightings: pastIn(queue.current.redis),
      mostInBurst: 1 + pick(10),
      after: (name) => {
        if (name === 'evalsha' && ++calls % 3 === 0) throw new ConnectionLost(null);
      },
    });
    expect(report.coordinators).toMatchObject({ stale: 20, lapsed: lapsed.length, swept: 20 });
    expect(await heard()).toEqual(named(ids));
  });

  test('of each once, the lapsed too, by two runs side by side', async () => {
    const ids = idsOf(24);
    await settleSomeLapsed(ids);
    const heard = await listen(way);
    const runs = await Promise.all(
      ['one', 'other'].map(
        async () =>
          await cleanCluster(place.current, {
            settings: { ...settings, restartGrace: false },
            sightings: pastIn(queue.current.redis),
          }),
      ),
    );
    expect(runs.reduce((sum, { coordinators }) => sum + coordinators.swept, 0)).toBeGreaterThanOrEqual(24);
    expect(await heard()).toEqual(named(ids));
  });

  test('again of one who lapses again, though the answers were lost as it was told the first time', async () => {
    const heard = await listen(way);
    const id = idsOf(3)[pick(3)] as string;
    for (const agoSeconds of [6_000, 4_000]) {
      await settleIn(place.current, id, STALE);
      await place.current.redis.del(heartbeatOf(id));
      await remember(queue.current.redis, [{ id, swarm: 's1', agoSeconds }]);
      const seen = new Set<string>();
      await cleanCluster(place.current, {
        settings: { ...settings, restartGrace: false },
        sightings: pastIn(queue.current.redis),
        after: (name) => {
          if (!/^eval/.test(name) || seen.has(name)) return;
          seen.add(name);
          throw new ConnectionLost(null);
        },
      });
    }
    expect(await heard()).toEqual(named([id, id]));
  });

  test('of each once, the lapsed too, though a run is killed at any of its writes', async () => {
    for (let round = 0; round < 4; round++) {
      await place.current.flush();
      const ids = idsOf(12);
      await settleSomeLapsed(ids);
      const how = { settings: { ...settings, restartGrace: false } };
      const heard = await listen(way);
      let writes = 0;
      const moment = 1 + pick(round < 2 ? 40 : 120);
      const killed = cleanCluster(place.current, {
        ...how,
        sightings: pastIn(queue.current.redis),
        before: (name) => {
          if (['evalsha', 'unlink'].includes(name) && ++writes > moment) throw new Error('killed');
        },
      });
      await killed.catch((error: Error) => expect(error.message).toBe('killed'));
      await cleanCluster(place.current, { ...how, sightings: pastIn(queue.current.redis) });
      expect(await heard()).toEqual(named(ids));
    }
  });

  test('of nobody in vain, where somebody waits for the first message of all', async () => {
    await place.current.redis.xgroup('CREATE', 'swept', 'group', '$', 'MKSTREAM');
    await settleIn(place.current, 'c', STALE);
    await cleanCluster(place.current, { settings });
    const read = await place.current.redis.xreadgroup('GROUP', 'group', 'one', 'COUNT', 10, 'STREAMS', 'swept', '>');
    expect(JSON.stringify(read ?? [])).not.toContain('"coordinators\\":[]');
    expect(read === null).toBe(way === 'channel');
  });

  test('nobody where it may not be said, and then nobody is swept', async () => {
    const keys = await settleIn(place.current, 'c', STALE);
    for (const { redis } of place.current.nodes) {
      await redis.call(
        'ACL',
        'SETUSER',
        'mute',
        'on',
        '>mute',
        '~*',
        '+@all',
        way === 'channel' ? 'resetchannels' : '-xadd',
      );
    }
    const mute = { ...place.current, url: place.current.url.replace('//', '//mute:mute@') };
    await expect(cleanCluster(mute, { settings })).rejects.toThrow(/channel|publish|xadd/i);
    for (const { redis } of place.current.nodes) await redis.call('ACL', 'DELUSER', 'mute');
    expect((await place.current.keys()).filter((key) => !/^stalesweep:(asides|announced):/.test(key))).toEqual(
      [...keys].sort(),
    );
  });
});
