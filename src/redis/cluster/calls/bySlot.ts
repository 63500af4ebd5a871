/** bySlot: what names keys of several slots, asked slot by slot, since no command of a cluster spans two. */
import { Bulk } from '../../call/bulk.ts';
import type { Answer } from '../../call/calls.ts';
import type { Argument, Reply } from '../../call/wire.ts';
import { positionsBySlot } from './slots.ts';

type Ask = (slot: number, names: Bulk) => Promise<Answer>;

/** The first `most` arguments as bytes. */
export function keysIn(args: readonly Argument[], most = Number.POSITIVE_INFINITY): readonly Buffer[] {
  const keys: Buffer[] = [];
  for (const arg of args) {
    if (keys.length >= most) break;
    if (!(arg instanceof Bulk)) keys.push(Buffer.from(String(arg), 'latin1'));
    // Where they stand holds until the next one is added.
    else
      arg.forEach((bytes, from, to) => {
        if (keys.length < most) keys.push(Buffer.from(bytes.subarray(from, to)));
      });
  }
  return keys;
}

/** MGET: the values in the order of the keys, and what the slowest of the parts took. */
export async function valuesOf(args: readonly Argument[], ask: Ask): Promise<Answer> {
  const keys = keysIn(args);
  const values: Reply[] = Array.from({ length: keys.length }, () => null);
  const ms = await partsOf(keys, ask, (reply, positions) => {
    for (const [i, value] of (reply as Reply[]).entries()) values[positions[i] as number] = value;
  });
  return { reply: values, ms };
}

/** EXISTS, UNLINK: the sum, and what the slowest of the parts took. */
export async function sumOf(args: readonly Argument[], ask: Ask): Promise<Answer> {
  let sum = 0;
  const ms = await partsOf(keysIn(args), ask, (reply) => {
    sum += Number(reply);
  });
  return { reply: sum, ms };
}

async function partsOf(
  keys: readonly Buffer[],
  ask: Ask,
  take: (reply: Reply, positions: readonly number[]) => void,
): Promise<number> {
  let slowest = 0;
  const asked = [...positionsBySlot(keys)].map(async ([slot, positions]) => {
    const names = new Bulk(positions.length * 64);
    for (const at of positions) names.add(keys[at] as Buffer);
    try {
      const { reply, ms } = await ask(slot, names);
      take(reply, positions);
      slowest = Math.max(slowest, ms);
    } finally {
      names.clear();
    }
  });
  const ended = await Promise.allSettled(asked);
  const failed = ended.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return slowest;
}
