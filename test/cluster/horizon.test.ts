import { describe, expect, test } from 'vitest';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster, expectNoClusterLeaks, isMarker, settleIn } from '../support/cluster.ts';
import { moveSlot } from '../support/slotMoves.ts';
import { primaryOf, startCluster, until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { KeptHorizon, runScheduled } from '../support/scheduled.ts';
import { ACTIVE, beat, heartbeatOf, STALE } from '../support/world.ts';

const settings = { restartGrace: false };

describe('scheduled runs of a cluster', () => {
  test('look at nobody while nobody can be stale, at those alone who are due, and at all once any primary is another or a slot went', async () => {
    const cluster = await startCluster(3, { replicas: true });
    const target = targetOf(cluster.url, settings);
    const horizons = new KeptHorizon();
    const looked: string[] = [];
    const run = async () => {
      const report = await runScheduled({
        target,
        horizons,
        onLook: (look) => looked.push(look.pass === 'full' ? look.why : look.pass),
      });
      expect(report).toMatchObject({ outcome: 'completed', strategy: 'cluster', coordinators: { swept: 0 } });
      return report.pass;
    };
    await settleIn(cluster, 'a', ACTIVE);
    await settleIn(cluster, 'b', ACTIVE);
    expect([await run(), await run(), await run()]).toEqual(['full', 'none', 'none']);
    // As if it had been seen to be silent for so long; it beat since.
    const standing = horizons.standsNow;
    if (standing === null) throw new Error('a full pass leaves a horizon');
    const due = { key: Buffer.from(heartbeatOf('b')), sinceSeconds: standing.beganSeconds - 2 * STALE };
    horizons.standsNow = { ...standing, listed: [due] };
    expect(await run()).toBe('due');
    expect(await run()).toBe('none');

    const [key = ''] = await cluster.keys();
    const slot = slotOfText(key);
    const nth = primaryOf(slot, 3);
    const [from, to] = [cluster.nodes[nth], cluster.nodes[(nth + 1) % 3]] as const;
    if (from === undefined || to === undefined) throw new Error('there are three');
    await moveSlot(cluster, slot, from, to);
    expect([await run(), await run()]).toEqual(['full', 'none']);

    const heir = cluster.nodes[3 + Math.floor(Math.random() * 3)] as TestRedis;
    await heir.redis.call('CLUSTER', 'FAILOVER');
    const isPrimary = async () => String(((await heir.redis.call('ROLE')) as unknown[])[0]) === 'master';
    await until(async () => {
      if (!(await isPrimary())) return false;
      const said = await Promise.all(
        cluster.nodes.map(async ({ redis }) => String(await redis.call('CLUSTER', 'NODES'))),
      );
      const id = String(await heir.redis.call('CLUSTER', 'MYID'));
      return said.every((reply) => new RegExp(`^${id} .*master`, 'm').test(reply));
    });
    expect([await run(), await run()]).toEqual(['full', 'none']);
    expect(looked.filter((why) => why.startsWith('server'))).toHaveLength(2);
    await expectNoClusterLeaks(cluster);
    await cluster.stop();
  });

  test('put right what a killed run left aside, though nobody is due (P1)', async () => {
    const cluster = await startCluster();
    const horizons = new KeptHorizon();
    const looked: string[] = [];
    const run = async () =>
      await runScheduled({
        target: targetOf(cluster.url, settings),
        horizons,
        onLook: (look) => looked.push(look.pass === 'full' ? look.why : look.pass),
      });
    await settleIn(cluster, 'living', ACTIVE);
    const own = await settleIn(cluster, 'back', ACTIVE);
    const before = await cluster.keys();
    expect((await run()).pass).toBe('full');
    // Somebody cleans by hand, is killed, and who was stale beats again: nobody else is due before long.
    await cluster.redis.set(heartbeatOf('back'), beat(Date.now() - 2 * STALE * 1000, 'back'));
    let calls = 0;
    // Sixteen words, then its own names.
    const moment = 17 + Math.floor(Math.random() * (own.length - 1));
    const killed = cleanCluster(cluster, {
      settings,
      before: (name) => {
        if (['sadd', 'renamenx', 'evalsha', 'unlink', 'srem'].includes(name) && ++calls > moment) {
          throw new Error('killed');
        }
      },
    });
    await expect(killed).rejects.toThrow('killed');
    await cluster.redis.set(heartbeatOf('back'), beat(Date.now(), 'back'));
    expect((await cluster.keys()).some((key) => key.startsWith('stalesweep:aside:'))).toBe(true);
    // As they are after a minute.
    const passes = (await cluster.keys()).filter((key) => key.startsWith('stalesweep:aside-pass:'));
    for (const pass of passes) await cluster.redis.unlink(pass);
    expect((await run()).pass).toBe('full');
    expect(looked).toEqual(['a run has left something to be put right']);
    expect((await cluster.keys()).filter((key) => !isMarker(key))).toEqual(before);
    await cluster.stop();
  });
});
