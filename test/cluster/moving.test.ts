import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { cleanCluster, isMarker, ownName, settleIn, useCluster } from '../support/cluster.ts';
import { until } from '../support/clusterServers.ts';
import { agreed, moveSlot, ownerOf } from '../support/slotMoves.ts';
import type { TestRedis } from '../support/redis.ts';
import { ACTIVE, beat, heartbeatOf, STALE } from '../support/world.ts';

const place = useCluster();
/** Longer than a run waits as it begins. */
const NOBODYS_MS = 3_500;
const IDLE_SECONDS = 3;

function otherThan(node: TestRedis): TestRedis {
  const others = place.current.nodes.filter((one) => one !== node);
  return others[Math.floor(Math.random() * others.length)] as TestRedis;
}

async function idOf({ redis }: TestRedis) {
  return String(await redis.call('CLUSTER', 'MYID'));
}

async function move(slot: number): Promise<void> {
  const from = await ownerOf(place.current, slot);
  await moveSlot(place.current, slot, from, otherThan(from));
}

describe('slots that move while a cluster is cleaned', () => {
  test('take nothing of those who live, and leave nothing of those who are stale for ever', async () => {
    const kept: string[] = [];
    const slots = new Set<number>();
    for (let i = 0; i < 120; i++) {
      const lives = i % 3 === 0;
      // Who lives and who is stale share a key, which goes with none of them.
      const shared = lives ? [] : [`blocking:idempotency:c${i}:c${i - (i % 3)}:done:${i}`];
      const keys = await settleIn(place.current, `c${i}`, lives ? ACTIVE : STALE, { more: shared });
      kept.push(...(lives ? keys : shared));
      for (const key of keys) slots.add(slotOfText(key));
    }
    const all = [...slots];
    let ended = false;
    let last: Promise<unknown> = Promise.resolve();
    // Node by node the test itself would miss what moves while it lists.
    const inTurn = async <T>(act: () => Promise<T>): Promise<T> => {
      const next = last.then(act);
      last = next.catch(() => {});
      return await next;
    };
    const moving = (async () => {
      for (let n = 0; n < 60 && !ended; n++) {
        await inTurn(async () => await move(all[Math.floor(Math.random() * all.length)] as number));
      }
    })();
    let failed = 0;
    for (let run = 0; run < 3; run++) {
      // What a run can't settle while a slot is on its way, it says, and the next one does.
      await cleanCluster(place.current).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Error);
        failed++;
      });
      const there = new Set((await inTurn(async () => await place.current.keys())).map(ownName));
      expect(kept.filter((key) => !there.has(key))).toEqual([]);
    }
    ended = true;
    await moving;
    await cleanCluster(place.current);
    expect(await place.current.keys()).toEqual(kept.sort());
    expect(failed).toBeLessThan(3);
  });

  test('hide nobody from the walk: a living heartbeat that goes where the walk has been is seen', async () => {
    // By its own key alone the stale one could have it; by the heartbeat that moves it belongs to one who lives, too.
    await settleIn(place.current, 'stale', STALE, { more: ['blocking:idempotency:stale:living:done:1'] });
    const living = await settleIn(place.current, 'living', ACTIVE);
    const slot = slotOfText(heartbeatOf('living'));
    const from = await ownerOf(place.current, slot);
    const passed = otherThan(from);
    // The heartbeat is away from the one before its pages are asked for, and comes to the other after its were.
    let pages = 0;
    const scanned = place.current.nodes.length;
    let moved: Promise<void> | null = null;
    const report = await cleanCluster(place.current, {
      before: async (name) => {
        if (name === 'scan' && pages++ === scanned - 1) {
          moved ??= moveSlot(place.current, slot, from, passed);
          await moved;
        }
      },
    });
    expect(report.coordinators).toMatchObject({ checked: 2, active: 1, swept: 1 });
    expect(await place.current.keys()).toEqual([...living, 'blocking:idempotency:stale:living:done:1'].sort());
  });

  test('hide nobody while they are half moved: a living heartbeat that is over already is seen', async () => {
    await settleIn(place.current, 'stale', STALE, { more: ['blocking:idempotency:stale:living:done:1'] });
    const living = await settleIn(place.current, 'living', ACTIVE);
    const heartbeat = heartbeatOf('living');
    const slot = slotOfText(heartbeat);
    const from = await ownerOf(place.current, slot);
    const to = otherThan(from);
    const ids = await Promise.all([from, to].map(async ({ redis }) => String(await redis.call('CLUSTER', 'MYID'))));
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0] as string);
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1] as string);
    await from.redis.call('MIGRATE', '127.0.0.1', to.port, heartbeat, 0, 5_000);
    const report = await cleanCluster(place.current);
    expect(report.coordinators).toMatchObject({ checked: 2, active: 1, swept: 1 });
    expect(await place.current.keys()).toEqual([...living, 'blocking:idempotency:stale:living:done:1'].sort());
    for (const node of [to, from]) await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[1] as string);
  });

  test('that stay half moved are waited for, and then said; the next run ends well', async () => {
    const keys = await settleIn(place.current, 'c', STALE);
    const slot = slotOfText(keys[1] as string);
    const from = await ownerOf(place.current, slot);
    const to = otherThan(from);
    const ids = await Promise.all([from, to].map(async ({ redis }) => String(await redis.call('CLUSTER', 'MYID'))));
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0] as string);
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1] as string);
    const failure = await cleanCluster(place.current).catch((error: unknown) => error);
    expect(String(failure)).toMatch(/TRYAGAIN|being moved/);
    expect(failure).not.toBeInstanceOf(Failure);
    // That something may be aside there nobody could take back.
    expect((await place.current.keys()).filter((key) => !isMarker(key))).toEqual([...keys].sort());
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    expect(await cleanCluster(place.current)).toMatchObject({
      coordinators: { swept: 1 },
      keys: { deleted: keys.length },
    });
    expect((await place.current.keys()).filter((key) => !isMarker(key))).toEqual([]);
  });

  test("hide nobody while they are nobody's: they are waited for", async () => {
    const keys = await settleIn(place.current, 'stale', STALE, { more: ['blocking:idempotency:stale:living:done:1'] });
    const living = await settleIn(place.current, 'living', ACTIVE);
    const heartbeat = heartbeatOf('living');
    const slot = slotOfText(heartbeat);
    const from = await ownerOf(place.current, slot);
    const to = otherThan(from);
    const { nodes } = place.current;
    const all = async (...words: readonly string[]) => {
      for (const { redis } of nodes) await redis.call(...(words as [string]));
    };
    const isNobodys = async () => {
      const told = nodes.map(async ({ redis }) => String(await redis.call('CLUSTER', 'INFO')));
      return (await Promise.all(told)).every((info) => info.includes('cluster_slots_assigned:16383'));
    };
    await all('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from));
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to));
    // As by somebody who moves it and gives it away before it is taken: it goes where its pages were asked for.
    let back: Promise<unknown> | null = null;
    const goAway = async () => {
      await from.redis.call('MIGRATE', '127.0.0.1', to.port, heartbeat, 0, 5_000);
      for (const { redis } of [from, to]) await redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
      await until(async () => {
        await all('CLUSTER', 'DELSLOTS', `${slot}`).catch(() => {});
        return await isNobodys();
      });
      back = pause(NOBODYS_MS).then(async () => await to.redis.call('CLUSTER', 'ADDSLOTS', slot));
    };
    // What was touched since the run began would let it look again.
    await until(async () => {
      const idle = keys.map(async (key) => Number(await place.current.redis.object('IDLETIME', key)));
      return Math.min(...(await Promise.all(idle))) >= IDLE_SECONDS;
    });
    let pages = 0;
    let gone: Promise<void> | null = null;
    const report = await cleanCluster(place.current, {
      before: async (name) => {
        if (name !== 'scan' || pages++ !== nodes.length - 1) return;
        gone ??= goAway();
        await gone;
      },
    });
    await back;
    await all('CONFIG', 'SET', 'cluster-require-full-coverage', 'yes');
    await agreed(place.current);
    expect(report.coordinators).toMatchObject({ checked: 2, active: 1, swept: 1 });
    const left = await place.current.keys();
    expect(left).toEqual([...living, 'blocking:idempotency:stale:living:done:1'].sort());
  });

  test('and leave keys behind where they went from: these are counted and named, and nobody is kept waiting for them', async () => {
    const [stale, living] = [
      await settleIn(place.current, 'stale', STALE),
      await settleIn(place.current, 'living', ACTIVE),
    ];
    const heartbeat = heartbeatOf('behind');
    const names = [heartbeat, 'blocking:ack:behind:1'];
    for (const name of names) {
      const slot = slotOfText(name);
      const from = await ownerOf(place.current, slot);
      await moveSlot(place.current, slot, from, otherThan(from));
      // As if its keys had not gone along: taken for a moment, which nobody else hears of, it takes one.
      await from.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(await ownerOf(place.current, slot)));
      const value = name === heartbeat ? beat(Date.now() - (STALE + 60) * 1000, 'behind') : 'left';
      await from.redis.pipeline([['asking'], ['set', name, value]]).exec();
      await from.redis.call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    }
    const warned: string[] = [];
    for (const swept of [1, 0]) {
      const report = await cleanCluster(place.current, { observer: { warn: (sentence) => warned.push(sentence) } });
      expect(report.coordinators).toMatchObject({ checked: 1 + swept, active: 1, swept });
      expect(report.unowned?.count).toBe(2);
      expect([...(report.unowned?.sample ?? [])].sort()).toEqual([...names].sort());
    }
    expect(warned.join()).toContain('2 keys, ');
    const left = await place.current.keys();
    expect(left).toEqual([...living, ...names].sort());
    expect(left).not.toContain(stale[0]);
  });
});
