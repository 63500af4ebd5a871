/** run: one cleanup of one target, from top to bottom.
 *      mark ──▶ gather ──▶ sweep ──▶ report
 *  Owns      the order of the phases, the guards between them, and the report.
 *  Promises  P1–P11; it may end anywhere, by failure or by signal, and the next run finds what is left (P3).
 */
import type { TargetConfig } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import type { Outcome, Report, Trigger } from '../domain/report.ts';
import type { Sightings } from '../domain/sighting.ts';
import { type Calls, LONG_WAY_MS } from '../redis/calls.ts';
import {
  clockOf,
  type Info,
  keyspaceSizeOf,
  lapsedClockOf,
  readInfo,
  readSeconds,
  usedMemoryBytesOf,
} from '../redis/clock.ts';
import { adviseSchema } from '../redis/probe.ts';
import { Remover } from '../redis/remover.ts';
import { KeyReader } from '../schema/keyReader.ts';
import { HeldKeys } from '../store/heldKeys.ts';
import { Store } from '../store/store.ts';
import type { Observer, RunContext } from './context.ts';
import { type Gathered, gather, walkKeys } from './gather.ts';
import { forgetWhoLeftNothing, keepSightings, noteLeft, recallLapsed } from './lapsed.ts';
import { mark, markPartition } from './mark.ts';
import { Paces } from './paces.ts';
import { sweepOrphans } from './orphans.ts';
import { spellersOf } from './spellers.ts';
import { sweepCoordinators, sweepKeys } from './sweep.ts';
import { type Carried, Tally } from './tally.ts';

export interface RunRequest {
  /** The run's id, as the report names it. */
  readonly run: string;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  readonly staleAfterSeconds: number;
  /** Sweep even when more than `maxStaleFraction` looks stale. */
  readonly force: boolean;
  readonly attempts: number;
  /** What earlier attempts of this run removed. */
  readonly carried: Carried | null;
  /** When the first attempt started, in ms since the epoch. */
  readonly startedAt: number;
}

export interface RunOptions {
  readonly observer?: Observer;
  /** Aborting it ends the run after the chunk in progress: with a Failure `INTERRUPTED`, or, where the reason is a
   * `StopWish`, with a report of what was done. */
  readonly signal?: AbortSignal;
  /** Instead of the target's `memoryBudget`. */
  readonly memoryBudgetBytes?: number;
  /** What earlier runs saw of this target; without it, who has no heartbeat any more is nobody. */
  readonly sightings?: Sightings;
}

/**
 * A second call is on its way while Redis works on the first, unless the run is to rest between them. Where the way takes longer
 * than the work, four; not more, since those that arrive together are served one behind the other before anybody else's.
 */
const lanesFor = (nice: number, latencyMs: number): number => {
  if (nice > 0) return 1;
  return latencyMs > LONG_WAY_MS ? 4 : 2;
};

const readTargetInfo = async (
  calls: Calls,
  target: TargetConfig,
  dryRun: boolean,
  observer: Observer,
): Promise<Info> => {
  try {
    return await readInfo(calls);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
    const what = `target "${target.name}": without INFO nobody can tell whether Redis came back with old data (P10)`;
    if (target.restartGrace && !dryRun) {
      throw new Failure('DENIED', `${what}; grant the user +info, or set restartGrace: false`, { cause: error });
    }
    observer.warn?.(`${what}; grant the user +info`);
    return new Map([
      ['rdb_last_load_keys_loaded', '0'],
      ['aof_enabled', '0'],
    ]);
  }
};

/** Why the run must not go on: more looks stale than an operator holds possible. */
const refusal = ({ tally }: RunContext, target: TargetConfig, force: boolean): string | null => {
  const { stale, checked } = tally.coordinators;
  // A quotient, since 0.29 * 100 is less than 29.
  if (force || checked === 0 || stale / checked <= target.maxStaleFraction) return null;
  const share = `${stale} of ${checked} coordinators look stale, more than maxStaleFraction ${target.maxStaleFraction} allows`;
  return `${share}; check the clock and the heartbeat writers, or send the run again with "force": true`;
};

/** Tells whose the keys are that are held, and forgets the lapsed who left nothing. */
async function tellWhoseKeysAre(run: RunContext, held: boolean): Promise<Gathered | null> {
  const gathered = held ? await gather(run) : null;
  await forgetWhoLeftNothing(run);
  return gathered;
}

/**
 * The partition under way: its keys, where they are not held yet, then everything of its stale coordinators.
 * @param told whose the keys are, where that has been told already
 */
async function sweepPartition(run: RunContext, keysHeld: boolean, told: Gathered | null = null): Promise<void> {
  const { observer, schema, store, tally } = run;
  const which = store.partitions > 1 ? `partition ${store.partition + 1} of ${store.partitions}: ` : '';
  // A pass only for keys is worth it when one of them could go.
  const walks = !keysHeld && schema.scanned.length > 0 && (tally.stale > 0 || schema.orphanFamilies.size > 0);
  if (walks) {
    observer.phase?.('gather', `${which}looking for what the stale ones left`);
    await walkKeys(run, async () => {
      await sweepOrphans(run, await gather(run));
      await sweepKeys(run);
    });
    tally.walk++;
  }
  const gathered = told ?? (await tellWhoseKeysAre(run, keysHeld || walks));
  // A dry run leaves everybody.
  if (run.dryRun) await noteLeft(run);
  observer.phase?.('sweep', `${which}sweeping ${tally.stale - tally.swept} coordinators`);
  if (gathered !== null) await sweepOrphans(run, gathered);
  await sweepCoordinators(run);
  if (!run.dryRun) await noteLeft(run);
  run.keys.clear();
}

async function sweepPartitions(run: RunContext, keysHeld: boolean, told: Gathered | null): Promise<void> {
  const { store, tally, observer } = run;
  await sweepPartition(run, keysHeld, told);
  while (store.partition + 1 < store.partitions) {
    store.nextPartition();
    observer.phase?.('mark', `partition ${store.partition + 1} of ${store.partitions}: reading its heartbeats`);
    await markPartition(run);
    tally.walk++;
    await recallLapsed(run, false);
    await sweepPartition(run, false);
  }
}

/** Finds who is stale, and sweeps them, partition by partition; why not, if refused. */
async function cleanTarget(run: RunContext, target: TargetConfig, force: boolean): Promise<string | null> {
  const { observer, store, tally } = run;
  observer.phase?.('mark', 'looking for stale coordinators');
  const marked = await mark(run);
  tally.walk++;
  const recalled = await recallLapsed(run);
  const keysHeld = marked.keysHeld && recalled.fits;
  const { active, stale, unreadable } = tally;
  observer.phase?.('gather', `${active} active, ${stale} stale, ${unreadable} unreadable`);
  tally.walks += (keysHeld ? 0 : 1) + 2 * (store.partitions - 1);
  let reason = refusal(run, target, force);
  let told: Gathered | null = null;
  if (reason !== null && tally.lapsed > 0 && (keysHeld || run.schema.scanned.length === 0)) {
    // Of those many may have left in good order: they are no reason to refuse.
    told = await tellWhoseKeysAre(run, true);
    reason = refusal(run, target, force);
    // Nor does a refused run count orphans only because it asked.
    if (reason !== null) tally.orphans = null;
  }
  let ended = false;
  try {
    if (reason === null) await sweepPartitions(run, keysHeld, told);
    else await noteLeft(run);
    ended = reason === null;
  } finally {
    // Without a look at each partition nobody can say who is left: then the next run goes by what is there now.
    // A dry run that failed has not noted whom it would have left.
    const whole = ended || (store.partitions === 1 && !(run.dryRun && reason === null));
    if (!ended && reason === null && whole && !run.dryRun) await noteLeft(run);
    if (whole && (marked.heartbeatsExpire || recalled.any) && !run.signal.aborted) await keepSightings(run, recalled);
  }
  return reason;
}

/** What to say of a run that met no heartbeat although its database holds keys: a wrong schema looks just like that. */
async function nobodyMet({ calls, schema, tally, observer, signal }: RunContext): Promise<string | null> {
  if (tally.coordinators.checked > 0 || signal.aborted) return null;
  const unfit = await adviseSchema(calls, schema, signal);
  if (unfit === null) return null;
  const sentence = `${unfit.message}; ${unfit.advice}`;
  observer.warn?.(sentence);
  return sentence;
}

/** Somebody wants a run to end and its report to stand: the reason to abort a run's signal with. */
export class StopWish extends Error {
  override readonly name = 'StopWish';
}

/** Cleans one target once. Throws a `Failure` `INTERRUPTED` when the signal ends it early. */
export const runCleanup = async (
  calls: Calls,
  target: TargetConfig,
  request: RunRequest,
  { observer = {}, signal = new AbortController().signal, memoryBudgetBytes, sightings }: RunOptions = {},
): Promise<Report> => {
  const { schema } = target;
  const { dryRun, staleAfterSeconds, carried } = request;
  const before = await readTargetInfo(calls, target, dryRun, observer);
  const remover = new Remover(calls, observer.warn);
  await remover.prepare(schema, dryRun);
  const clock = clockOf(await readSeconds(calls), before, target.restartGrace);
  await calls.measureLatency();
  const paces = new Paces(calls, target, remover.mostKeys);
  await paces.begin();
  const tally = new Tally(schema.families.length, dryRun ? null : carried);
  tally.keyspace = keyspaceSizeOf(before);
  const run: RunContext = {
    calls,
    remover,
    schema,
    reader: new KeyReader(schema),
    spellers: spellersOf(schema),
    store: new Store(schema),
    keys: new HeldKeys(schema.scanned.map(({ template }) => template.prefix)),
    sightings: sightings ?? null,
    clock,
    lapsedClock: lapsedClockOf(clock, before, target.restartGrace),
    staleAfterSeconds,
    dryRun,
    memoryBudgetBytes: memoryBudgetBytes ?? target.memoryBudget,
    tally,
    observer,
    signal,
    paces,
    lanes: lanesFor(target.nice, calls.latencyMs),
  };
  if (clock.upSeconds !== null && clock.upSeconds <= staleAfterSeconds) {
    observer.warn?.(
      `Redis came back with old data ${clock.upSeconds}s ago: nobody is stale before it has been up for ${staleAfterSeconds}s`,
    );
  }

  let outcome: Outcome = 'completed';
  const refused = await cleanTarget(run, target, request.force).catch((error: unknown) => {
    const wish: unknown = signal.reason;
    if (!(wish instanceof StopWish && error instanceof Failure && error.code === 'INTERRUPTED')) throw error;
    outcome = 'stopped';
    return wish.message;
  });
  if (refused !== null && outcome === 'completed') outcome = 'refused';
  const reason = refused ?? (await nobodyMet(run));
  const after = dryRun || outcome === 'refused' ? before : await readTargetInfo(calls, target, dryRun, observer);
  const freed = Math.max(0, usedMemoryBytesOf(before) - usedMemoryBytesOf(after));
  const report = reportOf(run, target, request, { reason, freed, outcome });
  observer.phase?.('report', `${report.coordinators.swept} coordinators swept, ${report.keys.deleted} keys deleted`);
  return report;
};

const reportOf = (
  { calls, remover, schema, tally, dryRun }: RunContext,
  target: TargetConfig,
  request: RunRequest,
  end: { reason: string | null; freed: number; outcome: Outcome },
): Report => {
  const { carried } = tally;
  const finishedAt = Date.now();
  return {
    run: request.run,
    target: target.name,
    trigger: request.trigger,
    dryRun,
    outcome: end.outcome,
    ...(end.reason === null ? {} : { reason: end.reason }),
    startedAt: new Date(request.startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - request.startedAt,
    staleAfterSeconds: request.staleAfterSeconds,
    coordinators: tally.coordinators,
    keys: {
      found: tally.keys,
      deleted: dryRun ? 0 : tally.keys,
      orphans: tally.orphans,
      byFamily: Object.fromEntries(schema.families.map((family, i) => [family, tally.byFamily[i] ?? 0])),
    },
    redis: {
      calls: calls.count + (carried?.calls ?? 0),
      slowestCallMs: Math.round(Math.max(calls.slowestMs, carried?.slowestCallMs ?? 0) * 100) / 100,
      memoryFreedBytes: end.freed + (carried?.memoryFreedBytes ?? 0),
    },
    chunks: tally.chunks,
    strategy: remover.strategy,
    attempts: request.attempts,
    unreadable: tally.unreadableByWhy.groups,
  };
};
