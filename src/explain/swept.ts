/** swept: which runs swept a coordinator, on what proof, from the ledger; for command and page alike. */
import { fingerprintOf, oursAmong } from '../config/fingerprint.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NamedPlace, NamedTarget } from '../ledger/runs/names.ts';
import type { SweptOnce as Row } from '../ledger/swept/lookup.ts';
import { givenBack, leftSome, type RestoredNote } from '../ledger/targets/restored.ts';
import { restorableUntilMs } from '../ledger/swept/restorable.ts';
import type { SweptOnce } from './entry.ts';

/** Nobody reads more of them; the newest are told. */
export const MOST_TIMES = 100;

export interface SweptFound {
  /** The newest first. */
  readonly swept: readonly SweptOnce[];
  /** How many parts of the ledger, in which more may stand, could not be read. */
  readonly damaged: number;
}

export interface SweptAsked {
  /** Only what was swept of this one, also while it had another name. */
  readonly target?: NamedTarget;
  /** What others mean by the names of these is left out. */
  readonly among?: ReadonlyMap<string, NamedPlace>;
  /** Where the ledger has the names of what went, only those times when this key did. */
  readonly key?: Buffer;
}

/** What stands in the ledger of these ids, in any swarm; rejects with the error of the queue's Redis. */
export async function sweptOf(
  ledger: Ledger,
  ids: readonly Buffer[],
  { target, among = new Map(), key }: SweptAsked,
): Promise<SweptFound> {
  const found = await ledger.find(ids, {
    limit: MOST_TIMES,
    isOurs: target === undefined ? oursAmong(among) : isOf(target),
  });
  const went = ({ names }: Row) => key === undefined || names === null || names.some((name) => key.equals(name));
  const rows = found.swept.filter(went);
  const notes = new Map<string, readonly RestoredNote[]>();
  for (const { batch } of rows) {
    if (batch.trashMs === undefined || notes.has(whoseOf(batch))) continue;
    notes.set(whoseOf(batch), await ledger.restored(batch));
  }
  return { swept: rows.map((row) => onceOf(row, notes.get(whoseOf(row.batch)) ?? [])), damaged: found.damaged };
}

/** Whether something was swept of this target: under its name, or, with the same place and schema, under one that it had before. */
function isOf(target: NamedTarget): (batch: Pick<Row['batch'], 'target' | 'fingerprint'>) => boolean {
  const isItsName = oursAmong(new Map([[target.name, target]]));
  const own = fingerprintOf(target);
  return (batch) => (batch.target === target.name ? isItsName(batch) : batch.fingerprint === own);
}

function whoseOf({ target, fingerprint = '' }: Row['batch']): string {
  return `${target}/${fingerprint}`;
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

/** By family; those of which nothing went are left out, and `null` are those of which Redis did not tell. */
export function keysOf(
  counts: readonly (number | null)[] | null,
  families: readonly string[],
): Record<string, number | null> {
  if (counts === null) return {};
  const told = families.map((family, i) => [family, i < counts.length ? (counts[i] ?? null) : 0] as const);
  return Object.fromEntries(told.filter(([, count]) => count !== 0));
}
