/** The store's own doors against plain maps: who is entered, who that is to a run, and what becomes of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BeatState, NO_BEAT, NO_ID } from '../../src/store/records.ts';
import { Store } from '../../src/store/store.ts';
import { targetOf } from '../support/cleanup.ts';
import { foundOf, proofFor, sliceOf, textOf } from './entries.ts';

const IDS = [
  'a',
  'b',
  'ab',
  'a:b',
  'b:a',
  '\xff',
  '\0',
  'x'.repeat(200),
  ...Array.from({ length: 30 }, (_, n) => `c${n}`),
];
const SWARMS = ['s1', 's', '1', 'as'];

const act = fc.record({
  what: fc.constantFrom('living', 'stale', 'stale', 'lapsed', 'gone', 'alive', 'revive', 'born'),
  id: fc.constantFrom(...IDS),
  swarm: fc.constantFrom(...SWARMS),
  proofBytes: fc.constantFrom(0, 1, 41, 64),
  beatAt: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

interface Known {
  readonly id: string;
  readonly swarm: string | null;
  state: BeatState;
  beatAt: number;
  readonly proof: string | null;
}

test.each([
  ['swarm', true],
  ['flat', false],
] as const)('schema %s: everybody is to a run who they were entered as, and became', async (name, inSwarms) => {
  const { schema } = targetOf('redis://127.0.0.1', { schema: name });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 150, size: 'max' }), async (acts) => {
      const store = new Store(schema);
      const records = new Map<string, Known>();
      const livingIds = new Set<string>();
      const livingPairs = new Set<string>();
      for (const { what, id, swarm: drawn, proofBytes, beatAt } of acts) {
        const swarm = inSwarms ? drawn : null;
        const pair = JSON.stringify([id, swarm]);
        const found = foundOf(id, swarm);
        const record = records.get(pair);
        expect(store.has(found)).toBe(record !== undefined || livingPairs.has(pair));
        const beat = store.beatOf(found.id, found.swarm);
        expect(beat !== NO_BEAT).toBe(record !== undefined);
        const lives = () => {
          livingIds.add(id);
          livingPairs.add(pair);
        };
        if (what === 'stale' || what === 'lapsed') {
          if (store.has(found)) continue;
          const proof = what === 'lapsed' ? null : proofFor(proofBytes, id);
          expect(store.enterStale(found, beatAt, proof)).toBe(true);
          const state = what === 'lapsed' ? BeatState.lapsed : BeatState.stale;
          records.set(pair, { id, swarm, state, beatAt, proof: proof === null ? null : textOf(proof.bytes) });
        } else if (what === 'living' || what === 'born') {
          if (store.has(found)) continue;
          const before = store.changes;
          if (what === 'born') store.born(found);
          else store.enterLiving(found);
          expect(store.changes - before).toBe(what === 'born' ? 1 : 0);
          lives();
        } else if (record !== undefined) {
          if (what === 'revive') {
            store.revive(beat, beatAt);
            record.beatAt = beatAt;
          } else store.become(beat, BeatState[what]);
          record.state = what === 'gone' ? BeatState.gone : BeatState.alive;
          if (what !== 'gone') livingIds.add(id);
        }
      }

      for (const id of IDS) {
        const bytes = sliceOf(id);
        const own = [...records.values()].filter((record) => record.id === id);
        const standing = livingIds.has(id) ? 'living' : own.length > 0 ? 'stale' : 'unknown';
        store.beginName();
        expect(store.standingOf(bytes.bytes, bytes.from, bytes.to)).toBe(standing);
        const record = store.idOf(bytes.bytes, bytes.from, bytes.to);
        expect(record !== NO_ID).toBe(own.length > 0);
        if (record !== NO_ID) {
          expect([textOf(store.nameOf(record)), store.lives(record)]).toEqual([id, livingIds.has(id)]);
          let beats = 0;
          for (let beat = store.firstBeat(record); beat !== NO_BEAT; beat = store.nextBeat(beat)) beats++;
          expect(beats).toBe(own.length);
        }
        for (const swarm of inSwarms ? SWARMS : []) {
          const pair = JSON.stringify([id, swarm]);
          const alive = livingPairs.has(pair) || records.get(pair)?.state === BeatState.alive;
          const due = alive ? 'living' : records.has(pair) ? 'stale' : 'unknown';
          expect(store.standingIn(bytes, sliceOf(swarm))).toBe(due);
        }
      }
      for (const { id, swarm, state, beatAt, proof } of records.values()) {
        const beat = store.beatOf(sliceOf(id), swarm === null ? null : sliceOf(swarm));
        const { bytes: value, valueBytes } = {
          bytes: textOf(store.proofOf(beat)),
          valueBytes: store.valueBytesOf(beat),
        };
        expect([textOf(store.nameOf(store.ownerOf(beat))), textOf(store.swarmOf(beat))]).toEqual([id, swarm ?? '']);
        expect([store.stateOf(beat), store.beatAtSecondsOf(beat)]).toEqual([state, beatAt]);
        expect([value, valueBytes]).toEqual([proof ?? '', proof?.length ?? 0]);
      }
      const names = [...new Set([...records.values()].map(({ id }) => id))];
      expect([...store.ids()].map((id) => textOf(store.nameOf(id)))).toEqual(names);
      const ordered = names.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
      const inOrder: string[] = [];
      for await (const ids of store.idsInNameOrder()) for (const id of ids) inOrder.push(textOf(store.nameOf(id)));
      expect(inOrder).toEqual(ordered);
    }),
    { numRuns: 100 },
  );
});
