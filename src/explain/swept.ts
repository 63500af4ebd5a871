/** swept: which runs swept a coordinator, on what proof, from the ledger; for command and page alike. */
import type { Ledger } from '../ledger/ledger.ts';
import type { SweptOnce as Row } from '../ledger/swept/lookup.ts';
import { givenBack, leftSome, type RestoredNote } from '../ledger/targets/restored.ts';
import { restorableUntilMs } from '../ledger/swept/restorable.ts';
import type { SweptOnce } from './entry.ts';

/** Nobody reads more of them; the newest are told. */
const MOST_TIMES = 100;

export interface SweptFound {
  /** The newest first. */
  readonly swept: readonly SweptOnce[];
  /** How many parts of the ledger, in which more may stand, could not be read. */
  readonly damaged: number;
}

/**
 * What stands in the ledger of these ids, in any swarm; rejects with the error of the queue's Redis.
 * @param key where the ledger has the names of what went, only those times when this key did
 */
export async function sweptOf(
  ledger: Ledger,
  ids: readonly Buffer[],
  { target, key }: { readonly target?: string | undefined; readonly key?: Buffer } = {},
): Promise<SweptFound> {
  const found = await ledger.find(ids, { limit: MOST_TIMES, ...(target === undefined ? {} : { target }) });
  const went = ({ names }: Row) => key === undefined || names === null || names.some((name) => key.equals(name));
  const rows = found.swept.filter(went);
  const notes = new Map<string, readonly RestoredNote[]>();
  for (const { batch } of rows) {
    if (batch.trashMs === undefined || notes.has(batch.target)) continue;
    notes.set(batch.target, await ledger.restored(batch.target));
  }
  return { swept: rows.map((row) => onceOf(row, notes.get(row.batch.target) ?? [])), damaged: found.damaged };
}

function onceOf(row: Row, notes: readonly RestoredNote[]): SweptOnce {
  const { coordinator, swarm, beatMs, silenceSeconds, keysByFamily, batch } = row;
  const { run, target, atMs, startedAtMs, by, trigger, families } = batch;
  const given = givenBack(notes, { ...batch, coordinator });
  return {
    run,
    target,
    atMs,
    startedAtMs,
    by: by ?? trigger,
    coordinator: Buffer.from(coordinator),
    swarm: swarm && Buffer.from(swarm),
    lastBeatAtMs: beatMs,
    silenceSeconds,
    keys: keysOf(keysByFamily, families),
    restoredAtMs: given?.atMs ?? null,
    restorableUntilMs: given === null || leftSome(given) ? restorableUntilMs(batch) : null,
  };
}

/** By family; those of which nothing went are left out. */
export function keysOf(
  counts: readonly (number | null)[] | null,
  families: readonly string[],
): Record<string, number | null> {
  const told = families.map((family, i) => [family, counts === null ? null : (counts[i] ?? 0)] as const);
  return Object.fromEntries(counts === null ? [] : told.filter(([, count]) => count !== 0));
}
