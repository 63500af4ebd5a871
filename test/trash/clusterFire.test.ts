import { expect, test } from 'vitest';
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { restore, type RestoreOptions } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster, useCluster } from '../support/cluster.ts';
import { agreed, moveSlot, ownerOf } from '../support/slotMoves.ts';
import { contents, differencesIn, pick, settleMany, trashed } from './clusterThings.ts';

const place = useCluster();
const settings = { trash: '1h' };
function target() {
  return targetOf(place.current.url, settings);
}
const RUN = { run: 'test-run' };

/** What is told to the ledger of how much came back. */
function noting() {
  const noted: number[] = [];
  const ledger = {
    noteRestored: async (_: unknown, { restored }: { restored: number }) => void noted.push(restored),
    horizonsOf: () => ({ keep: async () => {} }),
  };
  return { noted, options: { heartbeats: true, ledger } as unknown as RestoreOptions };
}

test('several give back the same while slots move: all of it comes back as it was, each thing once', async () => {
  const keys = await settleMany(place.current, 60);
  const before = await contents(place.current, keys);
  await cleanCluster(place.current, { settings });
  const slots = [...new Set(keys.map((key) => slotOfText(key)))];
  let ended = false;
  const moving = (async () => {
    for (let moves = 0; moves < 12 && !ended; moves++) {
      const slot = slots[pick(slots.length)] as number;
      const from = await ownerOf(place.current, slot);
      const others = place.current.nodes.filter((one) => one !== from);
      await moveSlot(place.current, slot, from, others[pick(others.length)] as typeof from);
    }
  })();
  const { noted, options } = noting();
  const asked = [RUN, RUN, { coordinator: Buffer.from('c0') }, { coordinator: Buffer.from('{tag}1') }];
  const done = await Promise.allSettled(asked.map(async (what) => await restore(target(), what, options)));
  ended = true;
  await moving;
  await agreed(place.current);
  for (const one of done) if (one.status === 'rejected') expect(String(one.reason)).toMatch(/slot|moved/i);
  // What a restore could not settle while a slot was on its way, the next one does.
  await restore(target(), RUN, options);
  expect(noted.reduce((all, one) => all + one, 0)).toBe(before.size);
  expect(differencesIn(before, await contents(place.current, [...before.keys()]))).toEqual([]);
  expect(trashed(await place.current.keys())).toEqual([]);
}, 120_000);

test('what came back is noted, and said, also where one of many calls fails; and the rest comes back later', async () => {
  const keys = await settleMany(place.current, 60);
  const { redis } = place.current;
  await cleanCluster(place.current, { settings });
  // Somebody else wrote over what one slot's things need to come back.
  const times = (await place.current.keys()).filter((key) => key.startsWith('stalesweep:trash-ttl:'));
  const broken = times[pick(times.length)] as string;
  await redis.del(broken);
  await redis.rpush(broken, 'something else');
  const { noted, options } = noting();
  const warned: string[] = [];
  const failed = restore(target(), RUN, { ...options, warn: (said) => void warned.push(said) });
  await expect(failed).rejects.toThrow(/WRONGTYPE/);
  const back = keys.length - trashed(await place.current.keys()).length;
  expect(noted.reduce((all, one) => all + one, 0)).toBe(back);
  expect(warned).toEqual(back === 0 ? [] : [expect.stringMatching(new RegExp(`^${back} keys? came back`))]);
  await redis.del(broken);
  await restore(target(), RUN, options);
  expect(noted.reduce((all, one) => all + one, 0)).toBe(keys.length);
});
