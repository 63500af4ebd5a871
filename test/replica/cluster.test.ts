import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { cleanCluster, expectNoClusterLeaks, isMarker, settleIn } from '../support/cluster.ts';
import { moveSlot } from '../support/slotMoves.ts';
import { startCluster, type TestCluster } from '../support/clusterServers.ts';
import { command } from '../support/command.ts';
import { callsAt, SCANS_ASKED } from '../support/replica.ts';
import { ACTIVE, STALE } from '../support/world.ts';

const PRIMARIES = 2;
const SETTINGS = { readFrom: 'replica' };
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster(PRIMARIES, { replicas: true, args: ['--repl-diskless-sync-delay', '0'] });
});
beforeEach(async () => await cluster.flush());
afterEach(async () => await expectNoClusterLeaks(cluster));
afterAll(async () => await cluster?.stop());

async function populate(count: number): Promise<string[]> {
  const kept: string[] = ['other'];
  await cluster.redis.set('other', '1');
  for (let i = 0; i < count; i++) {
    const shared = i % 4 === 1 ? [`blocking:idempotency:c${i}:c${i - 1}:done:1`] : [];
    const keys = await settleIn(cluster, `c${i}`, i % 4 === 0 ? ACTIVE : STALE, { swarm: `s${i % 7}`, more: shared });
    if (i % 4 === 0) kept.push(...keys);
    else kept.push(...shared);
  }
  return kept.sort();
}

function primaries() {
  return cluster.nodes.slice(0, PRIMARIES);
}
async function keys() {
  return (await cluster.keys()).filter((name) => !isMarker(name));
}

test('a run walks and reads the replicas, and proves and removes at the primaries', async () => {
  const kept = await populate(60);
  const told: string[] = [];
  for (const { redis } of cluster.nodes) await redis.config('RESETSTAT');
  const dry = await cleanCluster(cluster, { settings: SETTINGS, dryRun: true });
  for (const node of primaries()) {
    const asked = Object.keys(await callsAt(node));
    const known = ['hello', 'ping', 'client|setinfo', 'client|setname', 'info', 'time', 'cluster|nodes'];
    const ofFixture = ['config|resetstat', 'replconf', 'psync', 'cluster|slots'];
    expect(asked.filter((name) => !known.includes(name) && !ofFixture.includes(name))).toEqual([]);
  }
  const report = await cleanCluster(cluster, {
    settings: SETTINGS,
    observer: { phase: (_, sentence) => told.push(sentence) },
  });
  expect(await keys()).toEqual(kept);
  expect(report.coordinators).toMatchObject({ checked: 60, active: 15, stale: 45, swept: 45, revived: 0 });
  expect(dry.coordinators).toEqual({ ...report.coordinators, swept: 0 });
  expect(dry.keys).toEqual({ ...report.keys, deleted: 0 });
  const replicas = cluster.nodes.slice(PRIMARIES).map(({ port }) => `redis://127.0.0.1:${port}`);
  for (const replica of replicas) expect(told[0]).toContain(replica);
  // Whether it may is asked at each.
  for (const node of primaries()) expect((await callsAt(node)).scan).toBe(SCANS_ASKED);
});

test('doctor says which replicas are read, and how far behind they are', async () => {
  const { stdout } = await command(['doctor', '--acl', '--json'], {
    REDIS_URL: cluster.url,
    STALESWEEP_READ_FROM: 'replica',
  });
  for (const { port } of cluster.nodes.slice(PRIMARIES)) {
    expect(stdout).toMatch(
      new RegExp(`the replica at redis://127.0.0.1:${port} is read, and is \\d+ bytes behind its primary`),
    );
  }
  expect(stdout).toContain('+readonly');
});

test('who lives keeps everything while slots move, and the stale go (P1, P2)', async () => {
  const kept = await populate(120);
  const [one, other] = primaries() as [TestCluster['nodes'][0], TestCluster['nodes'][0]];
  const slots = [...new Set(kept.map(slotOfText))].slice(0, 30);
  const isOf = (slot: number) => slot < 8_192;
  const moving = (async () => {
    for (const slot of slots) {
      const [from, to] = isOf(slot) ? [one, other] : [other, one];
      await moveSlot(cluster, slot, from, to);
    }
  })();
  const first = await cleanCluster(cluster, { settings: SETTINGS }).catch((error: Error) => error);
  await moving;
  for (const name of kept) expect(await cluster.redis.exists(name)).toBe(1);
  const last = await cleanCluster(cluster, { settings: SETTINGS });
  expect(await keys()).toEqual(kept);
  const swept = first instanceof Error ? 0 : first.coordinators.swept;
  expect(swept + last.coordinators.swept).toBeLessThanOrEqual(90);
  for (const slot of slots) {
    const [from, to] = isOf(slot) ? [other, one] : [one, other];
    await moveSlot(cluster, slot, from, to);
  }
});

test('a node without a replica ends the run, with its slots in the sentence, and nothing goes; nobody is told to name one, which no cluster takes', async () => {
  const alone = await startCluster(1);
  try {
    await settleIn(alone, 'gone', STALE);
    const before = await alone.keys();
    await expect(cleanCluster(alone, { settings: SETTINGS })).rejects.toThrow(
      /slots 0-16383 of the cluster at .* can not be judged \(their primary has no replica that is up, .*; start one, or set readFrom: primary\)/,
    );
    const { stdout } = await command(['doctor'], { REDIS_URL: alone.url, STALESWEEP_READ_FROM: 'replica' });
    expect(stdout).toMatch(
      /no replica is found of the primary .*, so no run begins\n *-> start one, or set readFrom: primary\n/,
    );
    expect(await alone.keys()).toEqual(before);
  } finally {
    await alone.stop();
  }
});
