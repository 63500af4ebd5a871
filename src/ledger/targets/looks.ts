/** looks: what stands in a target, by family, as a run saw it last: one small block for each target, which a newer one replaces. It ages. */
import type { Blocks } from '../blocks.ts';
import { looksName, type NamedTarget, sharedName } from '../runs/names.ts';
import { seal, unseal } from '../sealed.ts';

/** How many keys of a family there are, and what they take; from a sample, unless all were looked at. */
export interface FamilyLook {
  readonly family: string;
  readonly keys: number;
  /** `null` where Redis does not tell, or not to this user. */
  readonly bytes: number | null;
  /** For how long the one that was left alone longest was neither read nor written, in seconds, of a sample; left out where Redis does not tell. */
  readonly idleSeconds?: number | undefined;
}

export interface Look {
  /** When, in ms by the clock of the queue's Redis. */
  readonly atMs: number;
  /** Whether all keys were looked at; else they are an estimate. */
  readonly complete: boolean;
  /** In the order of the schema. */
  readonly families: readonly FamilyLook[];
}

/** Keeps it, as of now, instead of the last one. Rejects as `Blocks` do. */
export async function writeLook(blocks: Blocks, target: NamedTarget, seen: Omit<Look, 'atMs'>): Promise<void> {
  const look: Look = { atMs: await blocks.nowMs(), ...seen };
  await blocks.write(looksName(target), seal([Buffer.from(JSON.stringify(look))]), {
    atMs: look.atMs,
    ends: sharedName('looks', target),
  });
}

/** The last one of each of these targets; `null` where there is none, or what stands there is none. Rejects as `Blocks` do. */
export async function readLooks(blocks: Blocks, targets: readonly NamedTarget[]): Promise<(Look | null)[]> {
  const looks: (Look | null)[] = [];
  for await (const sealed of blocks.read(targets.map(looksName))) looks.push(sealed === null ? null : lookIn(sealed));
  return looks;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isFamily(value: unknown): value is FamilyLook {
  const { family, keys, bytes, idleSeconds } = Object(value) as Record<keyof FamilyLook, unknown>;
  const isIdle = idleSeconds === undefined || isCount(idleSeconds);
  return typeof family === 'string' && isCount(keys) && (bytes === null || isCount(bytes)) && isIdle;
}

/** Checked by hand, as all that a run reads: a library for that would take a run longer to load than its answer to arrive. */
function isLook(value: unknown): value is Look {
  const { atMs, complete, families } = Object(value) as Record<keyof Look, unknown>;
  return isCount(atMs) && typeof complete === 'boolean' && Array.isArray(families) && families.every(isFamily);
}

function lookIn(sealed: Buffer): Look | null {
  try {
    const value: unknown = JSON.parse(String(unseal(sealed)));
    return isLook(value) ? value : null;
  } catch {
    return null;
  }
}
