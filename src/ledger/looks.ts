/** looks: what stands in a target, by family, as a run saw it last: one small block for each target, which a newer one replaces. */
import { z } from 'zod';
import { AGELESS_MS, type Blocks } from './blocks.ts';
import { looksName } from './runs/names.ts';
import { seal, unseal } from './sealed.ts';

/** How many keys of a family there are, and what they take; from a sample, unless all were looked at. */
export interface FamilyLook {
  readonly family: string;
  readonly keys: number;
  /** `null` where Redis does not tell, or not to this user. */
  readonly bytes: number | null;
}

export interface Look {
  /** When, in ms by the clock of the queue's Redis. */
  readonly atMs: number;
  /** Whether all keys were looked at; else they are an estimate. */
  readonly complete: boolean;
  /** In the order of the schema. */
  readonly families: readonly FamilyLook[];
}

const count = z.number().nonnegative();
const LOOK = z.object({
  atMs: count,
  complete: z.boolean(),
  families: z.array(z.object({ family: z.string(), keys: count, bytes: count.nullable() })),
});

/** Keeps it, as of now, instead of the last one. Rejects as `Blocks` do. */
export async function writeLook(blocks: Blocks, target: string, seen: Omit<Look, 'atMs'>): Promise<void> {
  const look: Look = { atMs: await blocks.nowMs(), ...seen };
  // It does not age: there is one for each target.
  await blocks.write(looksName(target), seal([Buffer.from(JSON.stringify(look))]), { atMs: AGELESS_MS });
}

/** The last one of each of these targets; `null` where there is none, or what stands there is none. Rejects as `Blocks` do. */
export async function readLooks(blocks: Blocks, targets: readonly string[]): Promise<(Look | null)[]> {
  const looks: (Look | null)[] = [];
  for await (const sealed of blocks.read(targets.map(looksName))) looks.push(sealed === null ? null : lookIn(sealed));
  return looks;
}

function lookIn(sealed: Buffer): Look | null {
  try {
    const result = LOOK.safeParse(JSON.parse(String(unseal(sealed))));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
