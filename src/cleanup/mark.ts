/** mark: find the stale coordinators of a target.
 *      [mark] ──▶ gather ──▶ sweep ──▶ report
 *  Owns      the walk over the keyspace: pages, judgement, what is unreadable.
 *  Leaves    what "stale" means to domain/heartbeat, key names to redis/keyspace.
 *  Promises  reads only; each stale heartbeat carries the value that proves it.
 *
 * One pass serves both heartbeats and the keys that only a scan can find: those are held by owner, within the memory
 * budget, until it is known who is stale. A page costs Redis mostly for the slots it visits, not for the names it
 * returns, so a second pass would cost far more than the longer replies.
 */
import { identify } from '../domain/keySchema.ts';
import { type Clock, judge } from '../domain/heartbeat.ts';
import { UNREADABLE_SAMPLE } from '../domain/report.ts';
import { type Owner, sharedGlob } from '../domain/template.ts';
import { readSeconds } from '../redis/clock.ts';
import { existing, readValues } from '../redis/keyspace.ts';
import { Census } from './census.ts';
import type { RunContext } from './context.ts';
import { Holdings } from './holdings.ts';
import { steadily } from './steadily.ts';
import { walk } from './walk.ts';

interface Heartbeat {
  readonly key: string;
  readonly owner: Owner;
}

export interface Marked {
  readonly census: Census;
  /** The keys found on the way; `null` when they outgrew the memory budget and must be looked for again. */
  readonly holdings: Holdings | null;
}

const judgeBatch = async (run: RunContext, census: Census, heartbeats: readonly Heartbeat[]): Promise<void> => {
  const { calls, clock, staleAfterSeconds, tally, paces } = run;
  const names = heartbeats.map(({ key }) => key);
  const { values, ms } = await steadily(run, paces.read, () => readValues(calls, names));
  paces.read.learn(heartbeats.length, ms);
  const missing = heartbeats.filter((_, i) => values[i] === null);
  const exist = await existing(
    calls,
    missing.map(({ key }) => key),
  );
  const expired = new Set(missing.filter((_, i) => !exist[i]).map(({ key }) => key));
  let present: Clock | undefined;

  for (const [i, { key, owner }] of heartbeats.entries()) {
    if (expired.has(key) || census.knows(key, owner)) continue;
    const value = values[i] ?? null;
    let judgement = judge(value, clock, staleAfterSeconds);
    if (judgement === 'ahead') {
      // It may have beaten since the run read the clock: only the present can tell that from a wrong clock.
      present ??= { ...clock, nowSeconds: await readSeconds(calls) };
      judgement = judge(value, present, staleAfterSeconds);
    }
    if (judgement === 'stale' && value !== null) {
      census.addStale({ key, value, owner });
      tally.stale++;
      continue;
    }
    census.addLiving(key, owner);
    if (judgement === 'active') tally.active++;
    else {
      tally.unreadable++;
      if (tally.unreadableSample.length < UNREADABLE_SAMPLE) tally.unreadableSample.push(key);
    }
  }
};

/** Walks the whole keyspace once and judges every heartbeat in it. */
export const mark = async (run: RunContext): Promise<Marked> => {
  const { schema, observer, tally, paces } = run;
  const census = new Census(schema);
  const holdings = new Holdings(schema);
  const heartbeatsOnly = sharedGlob([schema.heartbeat]);
  let pattern = sharedGlob([schema.heartbeat, ...schema.scanned]);
  let holding = true;

  for await (const keys of walk(run, () => pattern)) {
    const heartbeats: Heartbeat[] = [];
    for (const key of keys) {
      const identity = identify(schema, key);
      if (identity === null) continue;
      if (identity.heartbeat) heartbeats.push({ key, owner: identity.owner });
      else if (holding && schema.scannedFamilies.has(identity.family))
        holdings.hold(identity.family, key, identity.owners, identity.derivable);
    }
    if (holding && holdings.bytes > run.memoryBudgetBytes) {
      holding = false;
      holdings.clear();
      pattern = heartbeatsOnly;
    }
    for (let from = 0; from < heartbeats.length; ) {
      const batch = heartbeats.slice(from, from + paces.read.size);
      from += batch.length;
      await judgeBatch(run, census, batch);
    }
    observer.progress?.('mark', tally);
  }
  return { census, holdings: holding ? holdings : null };
};
