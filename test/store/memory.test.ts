/** P9: what one of the living, and one of the stale, takes; by the store's own account, and by that of the process. */
import { expect, test } from 'vitest';
import { HeldKeys } from '../../src/store/heldKeys.ts';
import { Store } from '../../src/store/store.ts';
import { targetOf } from '../support/cleanup.ts';
import { liveMemory } from '../support/liveMemory.ts';
import { foundOf, proofFor } from './entries.ts';

const MANY = 100_000;
const LIVING_BYTES = 11.5;
/** Beside name, swarm and proof. */
const STALE_BYTES = 95;
const HELD_BYTES = 15;
/** What a process takes beside what is counted: what is told of each part of a table, and a chunk just opened. */
const GROWN = 1.1;
const CHUNK_BYTES = 64 * 1024;
/** So much a test itself may leave on the heap; a string for each of the many would be four times that. */
const HEAP_BYTES = 1024 * 1024;

/** What is held once this has been filled, in the process. */
function grownBy(fill: () => { readonly bytes: number }) {
  const before = liveMemory();
  const filled = fill();
  const after = liveMemory();
  return {
    bytes: filled.bytes,
    outside: after.arrayBuffers - before.arrayBuffers,
    heap: after.heapUsed - before.heapUsed,
  };
}

test.each(['swarm', 'flat'] as const)(
  'schema %s: the living take a fingerprint, the stale a record, and no more (P9)',
  (name) => {
    const { schema } = targetOf('redis://127.0.0.1', { schema: name });
    const found = (n: number) => foundOf(`coordinator-${n}`, name === 'flat' ? null : `s${n % 100}`);

    const living = grownBy(() => {
      const store = new Store(schema);
      for (let n = 0; n < MANY; n++) store.enterLiving(found(n));
      return store;
    });
    // Where heartbeats name swarms, the id and its pair with the swarm.
    const prints = name === 'flat' ? 1 : 2;
    expect(living.bytes).toBeLessThanOrEqual(MANY * LIVING_BYTES * prints + 1);
    expect(living.outside).toBeLessThanOrEqual(living.bytes * GROWN + CHUNK_BYTES);
    expect(living.heap).toBeLessThanOrEqual(HEAP_BYTES);

    const stale = grownBy(() => {
      const store = new Store(schema);
      for (let n = 0; n < MANY; n++) store.enterStale(found(n), n, proofFor(41, `${n}`));
      return store;
    });
    const texts = 'coordinator-99999'.length + 41 + (name === 'flat' ? 0 : 's99'.length);
    expect(stale.bytes).toBeLessThanOrEqual(MANY * (STALE_BYTES + texts));
    expect(stale.outside).toBeLessThanOrEqual(stale.bytes * GROWN + 2 * CHUNK_BYTES);
    expect(stale.heap).toBeLessThanOrEqual(HEAP_BYTES);
  },
);

test('a name that is held takes itself, without what its template begins with, and a few bytes (P9)', () => {
  const held = grownBy(() => {
    const keys = new HeldKeys(['blocking:ack:']);
    for (let n = 0; n < MANY; n++) keys.hold(0, Buffer.from(`blocking:ack:coordinator-${n}:1`));
    return keys;
  });
  expect(held.bytes).toBeLessThanOrEqual(MANY * (HELD_BYTES + 'coordinator-99999:1'.length));
  expect(held.outside).toBeLessThanOrEqual(held.bytes * GROWN + CHUNK_BYTES);
  expect(held.heap).toBeLessThanOrEqual(HEAP_BYTES);
});

test('packed it takes half as much, where names are as the field writes them (P9)', () => {
  const text = (n: number) =>
    `blocking:idempotency:swarm-${n % 977}:coordinator-${n}:coordinator-${n + 1}:signal:${n % 7}:17600000${n}`;
  const bytes = Array.from({ length: MANY }, (_, n) => text(n).length).reduce((sum, length) => sum + length, 0);
  const held = grownBy(() => {
    const keys = new HeldKeys(['blocking:idempotency:']);
    for (let n = 0; n < MANY; n++) {
      if (n === 1_000) keys.pack();
      keys.hold(0, Buffer.from(text(n)));
    }
    return keys;
  });
  expect(held.bytes - 12 * MANY).toBeLessThanOrEqual((bytes - 'blocking:idempotency:'.length * MANY) / 2);
  expect(held.outside).toBeLessThanOrEqual(held.bytes * GROWN + CHUNK_BYTES);
  expect(held.heap).toBeLessThanOrEqual(HEAP_BYTES);
});
