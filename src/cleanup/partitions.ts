/** partitions: what the stale coordinators left goes, partition by partition: so many of them at a time as the memory budget holds.
 *      mark ──▶ [gather ──▶ sweep] ──▶ report
 *  Owns      the order within a partition, and from one to the next.
 *  Leaves    cutting them to mark and store.
 */
import { type Fingerprinted, fingerprintOf } from '../config/fingerprint.ts';
import { tellLeft } from './batch/removals.ts';
import { atWhole, type Run } from './context.ts';
import { type Gathered, gather, walkKeys } from './gather.ts';
import { forgetWhoLeftNothing, noteLeft, recallLapsed } from './scan/lapsed.ts';
import { markPartition } from './mark.ts';
import { lookForNewcomers } from './scan/newcomers.ts';
import { sweepOrphans } from './orphans.ts';
import { sweepCoordinators, sweepKeys } from './sweep.ts';

const SEED_DIGITS = 8;

/** What decides which ids go together: the same in all runs of a target. */
export function partitionSeedOf(target: Fingerprinted): number {
  return Number.parseInt(fingerprintOf(target).slice(0, SEED_DIGITS), 16);
}

/** Tells whose the keys are that are held, and forgets the lapsed who left nothing. */
export async function tellWhoseKeysAre(run: Run, held: boolean): Promise<Gathered | null> {
  const gathered = held ? await gather(run) : null;
  await forgetWhoLeftNothing(run);
  return gathered;
}

/**
 * The partition under way: its keys, where they are not held yet, then everything of its stale coordinators.
 * @param told whose the keys are, where that has been told already
 */
async function sweepPartition(run: Run, keysHeld: boolean, told: Gathered | null = null): Promise<void> {
  try {
    await sweepAllOf(run, keysHeld, told);
  } finally {
    tellLeft(atWhole(run));
  }
}

async function sweepAllOf(run: Run, keysHeld: boolean, told: Gathered | null): Promise<void> {
  const { observer, schema, store, tally } = run;
  const which =
    store.partitions.count > 1 ? `partition ${store.partitions.current + 1} of ${store.partitions.count}: ` : '';
  // A pass only for keys is worth it when one of them could go.
  const walks = !keysHeld && schema.scanned.length > 0 && (tally.stale > 0 || schema.orphanFamilies.size > 0);
  if (walks) {
    observer.phase?.('gather', `${which}looking for what the stale ones left`);
    await walkKeys(run, async () => {
      await sweepOrphans(run, await gather(run));
      await lookForNewcomers(run);
      await sweepKeys(run);
    });
    tally.walk++;
  }
  const gathered = told ?? (await tellWhoseKeysAre(run, keysHeld || walks));
  // A dry run leaves everybody.
  if (run.dryRun) await noteLeft(run);
  observer.phase?.('sweep', `${which}sweeping ${tally.stale - tally.swept} coordinators`);
  await lookForNewcomers(run);
  if (gathered !== null) await sweepOrphans(run, gathered);
  // Else it would be told of each heartbeat that goes.
  run.target.births?.end();
  await sweepCoordinators(run);
  if (!run.dryRun) await noteLeft(run);
  run.keys.clear();
  run.keys.arePart = false;
}

/**
 * Sweeps everybody who is stale, partition by partition; the first of them is marked already.
 * @param keysHeld whether all keys are held that only a scan can find
 * @param told whose they are, where that has been told already
 */
export async function sweepPartitions(run: Run, keysHeld: boolean, told: Gathered | null): Promise<void> {
  const { store, tally, observer } = run;
  await sweepPartition(run, keysHeld, told);
  while (store.partitions.current + 1 < store.partitions.count) {
    await store.nextPartition();
    observer.phase?.(
      'mark',
      `partition ${store.partitions.current + 1} of ${store.partitions.count}: reading its heartbeats`,
    );
    await markPartition(run);
    tally.walk++;
    await recallLapsed(run, false);
    await sweepPartition(run, false);
  }
  // Who of them was not met has beaten meanwhile, or is gone.
  tally.aboutToBeHeld = 0;
  // Whose heartbeat vanished before its partition came is stale no more: it left, or another run swept it.
  tally.forget(store.partitions.awaited, store.partitions.awaitedLapsed);
}
