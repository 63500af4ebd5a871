import fc from 'fast-check';
import { expect, test } from 'vitest';
import { breathe } from '../../src/store/breath.ts';
import { BeatState, NO_BEAT } from '../../src/store/records.ts';
import { Store } from '../../src/store/store.ts';
import { targetOf } from '../support/cleanup.ts';
import { foundOf, proofFor, sliceOf, textOf } from './entries.ts';

const PROOF_BYTES = 40;

test.each(['swarm', 'flat'] as const)(
  'schema %s: whoever is stale has a record in one partition, is awaited before and known after it, and lives once revived; also who comes while it is cut',
  async (name) => {
    const { schema } = targetOf('redis://127.0.0.1', { schema: name });
    const plan = fc.record({
      ids: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 600, max: 2_000 })),
      /** After so many parts of a thousand of them. */
      splits: fc.array(fc.nat(1_000), { maxLength: 3 }),
      pauses: fc.integer({ min: 1, max: 300 }),
      revived: fc.integer({ min: 2, max: 9 }),
      swarms: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ ids, splits, pauses, revived, swarms }) => {
        const store = new Store(schema);
        const all = Array.from({ length: ids }, (_, n) => foundOf(`c${n}`, name === 'flat' ? null : `s${n % swarms}`));
        const cuts = new Set<Promise<void>>();
        const enter = async () => {
          for (const [n, found] of all.entries()) {
            // Who was entered before is known also while it is being cut.
            const again = all[(n * 7) % (n + 1)] ?? found;
            if (n > 0 && store.partitions.current === 0 && again !== found && !store.has(again)) missed.push(again);
            if (!store.has(found)) store.enterStale(found, n, proofFor(PROOF_BYTES, `c${n}`));
            if (store.partitions.current > 0) continue;
            for (const at of splits) if (Math.floor((at * ids) / 1_000) === n) cuts.add(store.split());
            if (n % pauses === 0) await breathe();
          }
        };
        const missed: unknown[] = [];
        await enter();
        // One drawn behind the last of them.
        if (splits.includes(1_000)) cuts.add(store.split());
        await Promise.all(cuts);
        expect(missed).toEqual([]);
        expect(store.partitions.count).toBe(2 ** cuts.size);

        const dealtWith = new Set<number>();
        const alive = new Set<number>();
        for (let partition = 0; partition < store.partitions.count; partition++) {
          if (partition > 0) {
            await store.nextPartition();
            await enter();
          }
          const here = new Set([...store.ids()].map((id) => Number(textOf(store.nameOf(id)).slice(1))));
          expect(store.idCount).toBe(here.size);
          const wrong: unknown[] = [];
          for (const [n, found] of all.entries()) {
            const { id, swarm } = found;
            const due = alive.has(n) ? 'living' : here.has(n) ? 'stale' : dealtWith.has(n) ? 'earlier' : 'later';
            store.beginName();
            const standings = [
              store.standingOf(id.bytes, id.from, id.to),
              ...(swarm === null ? [] : [store.standingIn(id, swarm)]),
            ];
            const beat = store.beatOf(id, swarm);
            const known = store.has(found) && (beat !== NO_BEAT || alive.has(n) || store.wasStale(found));
            const once = (beat !== NO_BEAT) === here.has(n) && !(here.has(n) && dealtWith.has(n));
            const proof = textOf(proofFor(PROOF_BYTES, `c${n}`).bytes);
            const whole =
              beat === NO_BEAT || (store.beatAtSecondsOf(beat) === n && textOf(store.proofOf(beat)) === proof);
            if (standings.some((one) => one !== due) || !known || !once || !whole) {
              wrong.push({ n, standings, due, known, once, whole });
            }
          }
          expect(wrong).toEqual([]);
          for (const n of here) {
            dealtWith.add(n);
            const { id, swarm } = all[n] ?? { id: sliceOf(''), swarm: null };
            const lives = n % revived === 0;
            if (lives) alive.add(n);
            store.become(store.beatOf(id, swarm), lives ? BeatState.alive : BeatState.gone);
          }
        }
        expect(dealtWith.size).toBe(ids);
      }),
      { numRuns: 40 },
    );
  },
);

test('what is being cut counts until that is done: others go on holding keys meanwhile (P9)', async () => {
  const store = new Store(targetOf('redis://127.0.0.1', { schema: 'flat' }).schema);
  for (let n = 0; n < 5_000; n++) store.enterStale(foundOf(`c${n}`, null), n, proofFor(PROOF_BYTES, `c${n}`));
  const before = store.bytes;
  const seen: number[] = [];
  let isDone = false;
  const cut = store.split().finally(() => {
    isDone = true;
  });
  while (!isDone) {
    seen.push(store.bytes);
    await breathe();
  }
  await cut;
  expect(Math.min(...seen)).toBeGreaterThan(before);
  expect(store.bytes).toBeLessThan(before);
});

test('two runs of a target go through the same ids in the same order of partitions, however many each has (P3)', async () => {
  const { schema } = targetOf('redis://127.0.0.1', { schema: 'flat' });
  const ids = Array.from({ length: 200 }, (_, n) => foundOf(`c${n}`, null));
  const order = async (seed: number, splits: number) => {
    const store = new Store(schema, seed);
    for (let i = 0; i < splits; i++) await store.split();
    const partitions = new Map<string, number>();
    for (let partition = 0; partition < store.partitions.count; partition++) {
      if (partition > 0) await store.nextPartition();
      for (const [n, found] of ids.entries()) {
        if (!store.has(found)) store.enterStale(found, n, proofFor(PROOF_BYTES, `c${n}`));
      }
      for (const id of store.ids()) partitions.set(textOf(store.nameOf(id)), partition);
    }
    return partitions;
  };
  const few = await order(7, 2);
  const many = await order(7, 4);
  expect(new Set(few.values()).size).toBe(4);
  expect([...many].filter(([id, partition]) => partition >> 2 !== few.get(id))).toEqual([]);
});
