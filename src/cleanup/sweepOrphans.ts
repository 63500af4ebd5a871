/** sweep orphans: remove keys that nobody owns, for the families an operator has listed, once they are idle. */
import { heartbeatKeyOf } from '../domain/keySchema.ts';
import { idleSeconds } from '../redis/keyspace.ts';
import { sweepOrphans as removeOrphans } from '../redis/orphans.ts';
import type { Census } from './census.ts';
import { pause, stopIfInterrupted, type RunContext } from './context.ts';
import { sentenceOf } from '../domain/failure.ts';
import type { SharedKey } from './holdings.ts';
import { steadily } from './steadily.ts';

const countIdle = async (run: RunContext, slice: readonly SharedKey[]): Promise<void> => {
  const idle = await idleSeconds(
    run.calls,
    slice.map(({ key }) => key),
  );
  for (const [i, { family }] of slice.entries()) if ((idle[i] ?? 0) > run.staleAfterSeconds) run.tally.add(family, 1);
};

const settle = async (run: RunContext, census: Census, slice: readonly SharedKey[]): Promise<void> => {
  for (let left = slice; left.length > 0; ) {
    const families: string[][] = run.schema.families.map(() => []);
    const absent = new Set<string>();
    for (const { family, key, owners } of left) {
      families[family]?.push(key);
      for (const owner of owners) {
        const heartbeat = heartbeatKeyOf(run.schema, owner);
        if (heartbeat !== null) absent.add(heartbeat);
      }
    }
    const guards = [...absent];
    const chunk = { absent: guards, families, idleSeconds: run.staleAfterSeconds };
    const result = await steadily(run, run.paces.sweep, () => removeOrphans(run.calls, chunk));
    run.paces.sweep.learn(left.length + guards.length, result.ms);
    if (result.swept) {
      for (const [family, amount] of result.removed.entries()) run.tally.add(family, amount);
      run.tally.chunks++;
      return;
    }
    for (const at of result.born) census.born(guards[at] ?? '');
    left = left.filter(({ owners }) => {
      const verdict = census.verdict(owners);
      return !verdict.go && verdict.orphan;
    });
  }
};

/**
 * Sweeps the orphans that have been idle for longer than the threshold. Where the server does not keep idle times (an
 * LFU eviction policy), they stay, and the observer is warned.
 */
export const sweepOrphanKeys = async (run: RunContext, census: Census, orphans: readonly SharedKey[]) => {
  try {
    for (let from = 0; from < orphans.length; ) {
      if (!(await pause(run))) stopIfInterrupted(run);
      const slice: SharedKey[] = [];
      for (let size = 0; from < orphans.length && (size === 0 || size < run.paces.sweep.size / 2); from++) {
        const key = orphans[from] as SharedKey;
        size += 1 + key.owners.length;
        slice.push(key);
      }
      await (run.dryRun ? countIdle(run, slice) : settle(run, census, slice));
    }
  } catch (error) {
    if (!/LFU maxmemory policy/.test(sentenceOf(error))) throw error;
    run.observer.warn?.('orphans are kept: under an LFU eviction policy Redis can not tell how long a key was idle');
  }
};
