/** sweep orphans: remove keys that nobody owns, for the families an operator has listed, once they are idle. */
import { idleSeconds } from '../redis/keyspace.ts';
import type { Census } from './census.ts';
import { pause, stopIfInterrupted, type RunContext } from './context.ts';
import { sentenceOf } from '../domain/failure.ts';
import { guardsOf, type Orphan } from './gather.ts';
import { verdictOn } from './ownership.ts';
import { steadily } from './steadily.ts';

const countIdle = async (run: RunContext, slice: readonly Orphan[]): Promise<void> => {
  const names = slice.map(({ name }) => name);
  const idle = await steadily(run, run.paces.read, () => idleSeconds(run.calls, names));
  for (const [i, { family }] of slice.entries()) if ((idle[i] ?? 0) > run.staleAfterSeconds) run.tally.add(family, 1);
};

const settle = async (run: RunContext, census: Census, slice: readonly Orphan[]): Promise<void> => {
  for (let left = slice; left.length > 0; ) {
    const families: string[][] = run.schema.families.map(() => []);
    const absent = new Set<string>();
    for (const { family, name, owners } of left) {
      families[family]?.push(name);
      for (const heartbeat of guardsOf(census, owners)) absent.add(heartbeat);
    }
    const guards = [...absent];
    const chunk = { absent: guards, families, idleSeconds: run.staleAfterSeconds };
    const result = await steadily(run, run.paces.sweep, () => run.remover.sweepOrphans(chunk));
    run.paces.sweep.learn(left.length + guards.length, result.ms);
    if (result.swept) {
      for (const [family, amount] of result.removed.entries()) run.tally.add(family, amount);
      run.tally.chunks++;
      return;
    }
    for (const at of result.born) census.born(Buffer.from(guards[at] ?? '', 'latin1'));
    left = left.filter(({ owners }) => verdictOn(census, owners).kind === 'orphan');
  }
};

/** As many orphans at a time as a call may handle, with the heartbeats that must not exist. */
function* slicesOf(run: RunContext, orphans: Iterable<Orphan>): Generator<readonly Orphan[]> {
  let slice: Orphan[] = [];
  let size = 0;
  for (const orphan of orphans) {
    const weight = 1 + orphan.owners.length;
    // Their idle times are asked one by one, which takes about twice as long as removing them.
    if (slice.length > 0 && size + weight > run.paces.sweep.size / 2) {
      yield slice;
      slice = [];
      size = 0;
    }
    slice.push(orphan);
    size += weight;
  }
  if (slice.length > 0) yield slice;
}

/**
 * Sweeps the orphans that have been idle for longer than the threshold. Where the server does not keep idle times (an
 * LFU eviction policy), they stay, and the observer is warned.
 */
export const sweepOrphanKeys = async (run: RunContext, census: Census, orphans: Iterable<Orphan>) => {
  try {
    for (const slice of slicesOf(run, orphans)) {
      if (!(await pause(run))) stopIfInterrupted(run);
      await (run.dryRun ? countIdle(run, slice) : settle(run, census, slice));
    }
  } catch (error) {
    if (!/LFU maxmemory policy/.test(sentenceOf(error))) throw error;
    run.observer.warn?.('orphans are kept: under an LFU eviction policy Redis can not tell how long a key was idle');
  }
};
