/** What a run counts whose heartbeats had to stay though their coordinators' things went. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cleanCluster, isMarker, ownName, settleIn } from '../support/cluster.ts';
import { startCluster, type TestCluster, until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { everythingOf, STALE } from '../support/world.ts';
import { pidOf } from '../workers/outages.ts';

let cluster: TestCluster;
let replicaPid: number;

beforeAll(async () => {
  cluster = await startCluster(1, { replicas: true });
  replicaPid = await pidOf((cluster.nodes[1] as TestRedis).redis);
});
beforeEach(async () => await cluster.flush());
afterEach(() => {
  process.kill(replicaPid, 'SIGCONT');
});
afterAll(async () => await cluster.stop());

interface Counted {
  readonly swept: number;
  readonly trashed: number;
  readonly keys: number;
}

/** A run that fails; resolves to what it said, and what it had counted by then. */
async function failing(options: Parameters<typeof cleanCluster>[1]): Promise<{ said: string; counted: Counted }> {
  let counted = { swept: 0, trashed: 0, keys: 0 };
  const progress = (_: string, tally: { swept: number; trashed: number; byFamily: readonly number[] }) => {
    const { swept, trashed, byFamily } = tally;
    counted = { swept, trashed, keys: byFamily.reduce((sum, count) => sum + count, 0) };
  };
  const said = await cleanCluster(cluster, { ...options, observer: { progress } }).then(
    () => '',
    (error: Error) => error.message,
  );
  return { said, counted };
}

test('what others put back meanwhile is not counted, nor who is still there; the next run sweeps the rest', async () => {
  const all = everythingOf('c').length;
  await settleIn(cluster, 'c', STALE);
  let putting: Promise<string> | null = null;
  const putOneBack = async () => {
    const [aside = ''] = (await cluster.keys()).filter((key) => key.startsWith('stalesweep:aside:'));
    await cluster.redis.rename(aside, ownName(aside));
    return ownName(aside);
  };
  const { said, counted } = await failing({
    before: async (name) => {
      if (name !== 'unlink') return;
      putting ??= putOneBack();
      await putting;
    },
  });
  const back = await (putting as Promise<string> | null);
  expect(said).toContain('somebody has put back meanwhile');
  expect(counted).toEqual({ swept: 0, trashed: 0, keys: all - 2 });
  const [heartbeat = ''] = everythingOf('c');
  expect((await cluster.keys()).filter((key) => !isMarker(key))).toEqual([heartbeat, back].sort());
  expect(await cleanCluster(cluster)).toMatchObject({ coordinators: { swept: 1 }, keys: { deleted: 2 } });
});

test('what no replica has heard of is counted, as is that it is in the trash; its heartbeat stays for the next run', async () => {
  const all = everythingOf('c').length;
  await settleIn(cluster, 'c', STALE);
  const primary = cluster.nodes[0] as TestRedis;
  await until(async () => (await primary.redis.wait(1, 100)) === 1);
  const settings = { trash: '1h' };
  const { said, counted } = await failing({
    settings,
    before: (name) => {
      if (name === 'renamenx') process.kill(replicaPid, 'SIGSTOP');
    },
  });
  expect(said).toContain('no replica has heard in time');
  expect(counted).toEqual({ swept: 0, trashed: all - 1, keys: all - 1 });
  process.kill(replicaPid, 'SIGCONT');
  expect(await cleanCluster(cluster, { settings })).toMatchObject({
    coordinators: { swept: 1 },
    keys: { deleted: 1, trashed: 1 },
  });
});

test('heartbeats wait for a replica over a connection that was opened anew, too, which itself has written nothing', async () => {
  await settleIn(cluster, 'c', STALE);
  const primary = cluster.nodes[0] as TestRedis;
  let waits = 0;
  const report = await cleanCluster(cluster, {
    before: async (name) => {
      if (name === 'renamenx') process.kill(replicaPid, 'SIGSTOP');
      if (name !== 'wait') return;
      waits++;
      if (waits === 1) await primary.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      if (waits === 4) process.kill(replicaPid, 'SIGCONT');
    },
  });
  expect(report.coordinators.swept).toBe(1);
  expect(waits).toBeGreaterThanOrEqual(4);
});
