/** run: one cleanup of one target, from top to bottom.
 *      mark ──▶ gather ──▶ sweep ──▶ report
 *  Owns      the order of the phases.
 *  Leaves    whether it may go on to guards, sweeping to partitions, everything about servers to the target and its nodes.
 *  Promises  P1–P11; it may end anywhere, by failure or by signal, and the next run finds what is left (P3).
 */
import { protectionOf, protectsOthers } from '../domain/protection.ts';
import { Failure } from '../domain/failure.ts';
import type { CoordinatorCounts, Outcome, Report } from '../domain/report.ts';
import type { Past } from '../domain/suddenSilence.ts';
import type { Sightings } from '../domain/sighting.ts';
import type { Target } from '../redis/target/target.ts';
import { Trash } from '../redis/trash/names.ts';
import { KeyReader } from '../schema/keyReader.ts';
import { isIdOf } from '../schema/keySchema.ts';
import { Distinct } from '../store/distinct.ts';
import { HeldKeys } from '../store/heldKeys.ts';
import { Store } from '../store/store.ts';
import type { Ahead } from './guards/ahead.ts';
import { type Observer, type Run, stopIfInterrupted } from './context.ts';
import type { Gathered } from './gather.ts';
import { nobodyMet, refusal, warnOfRestart } from './guards/guards.ts';
import { type HorizonToKeep, horizonLeftBy, outlookOf } from './horizon.ts';
import { keepSightings, noteLeft, recallLapsed } from './scan/lapsed.ts';
import { estimateAhead } from './guards/estimate.ts';
import { Hold } from './guards/hold.ts';
import { MemorySample } from './tally/memorySample.ts';
import { mark } from './mark.ts';
import { MixedFamilies } from './batch/mixedFamilies.ts';
import { holdIfSudden } from './guards/state.ts';
import { partitionSeedOf, sweepPartitions, tellWhoseKeysAre } from './partitions.ts';
import { reportOf, requestFor, type RunRequest } from './tally/report.ts';
import { spellersOf } from './ownership/spellers.ts';
import { Tally } from './tally/tally.ts';

export type { Ahead } from './guards/ahead.ts';
export type { RunRequest } from './tally/report.ts';

export interface RunOptions {
  readonly observer?: Observer;
  /** Aborting it ends the run after the chunk in progress, with a Failure `INTERRUPTED`. */
  readonly signal?: AbortSignal;
  /** Instead of the target's `memoryBudget`. */
  readonly memoryBudgetBytes?: number;
  /** What earlier runs saw of this target; without it, who has no heartbeat any more is nobody. */
  readonly sightings?: Sightings;
  /**
   * Asked once, when it is known who is stale and before anything is removed: whether to go on. Left out: yes. After a `false` the
   * run ends as `stopped`. Not asked where nobody is stale, nor in a dry run.
   */
  readonly confirm?: (ahead: Ahead) => Promise<boolean>;
  /** What its last run left of this target; without it, nobody is held. */
  readonly past?: Past | null;
  /** What its horizon is to be; without it, none is kept. */
  readonly horizon?: HorizonToKeep;
}

/** Somebody wants a run to end and its report to stand: the reason to abort a run's signal with. */
export class StopWish extends Error {
  override readonly name = 'StopWish';

  constructor(
    message: string,
    readonly outcome: 'stopped' | 'interrupted' = 'stopped',
  ) {
    super(message);
  }
}

/** Whoever was asked whether to go on said no. */
class Unconfirmed extends Error {
  override readonly name = 'Unconfirmed';
}

/** Cleans one target once. Throws a `Failure` `INTERRUPTED` when the signal ends it early. */
export async function runCleanup(target: Target, asked: RunRequest, options: RunOptions = {}): Promise<Report> {
  const request = requestFor(target.settings, asked);
  const run = beginRun(target, request, options);
  const { horizon, observer } = options;
  observer?.begins?.(() => reportOf(run, request, { outcome: 'interrupted', pass: 'full' }));
  let report: Report | null = null;
  try {
    report = await runToItsEnd(run, request, options);
    return report;
  } finally {
    await horizon?.keep(horizonLeftBy(run, report, horizon));
  }
}

async function runToItsEnd(run: Run, request: RunRequest, options: RunOptions): Promise<Report> {
  const { target } = run;
  warnOfRestart(run);
  let outcome = 'completed' as Outcome;
  const refused = await cleanTarget(run, request.force, options.confirm).catch((error: unknown) => {
    if (error instanceof Unconfirmed) {
      outcome = 'stopped';
      return error.message;
    }
    const wish: unknown = run.signal.reason;
    if (!(wish instanceof StopWish && error instanceof Failure && error.code === 'INTERRUPTED')) throw error;
    outcome = wish.outcome;
    return wish.message;
  });
  if (refused !== null && outcome === 'completed') outcome = 'refused';
  const reason = refused ?? (await nobodyMet(run));
  // Whoever interrupts does not wait for a server that may be the reason.
  // What is in the trash still takes memory.
  const freesNone = run.dryRun || run.trash !== null || outcome === 'refused' || outcome === 'interrupted';
  const freed = freesNone ? 0 : await target.freedBytes();
  const report = reportOf(run, request, { reason, freed, outcome, pass: 'full' });
  const { coordinators, keys } = report;
  run.observer.phase?.('report', `${coordinators.swept} coordinators swept, ${keys.deleted} keys deleted`);
  return report;
}

/** A run of which nothing has been done yet. */
export function beginRun(target: Target, request: RunRequest, options: RunOptions): Run {
  const { schema, trash } = target.settings;
  const tally = new Tally(schema.families.length, request.dryRun ? null : request.carried);
  tally.keyspace = target.keyspace;
  const { observer = {} } = options;
  const { protect } = target.settings;
  const store = new Store(schema, partitionSeedOf(target.settings));
  store.outlines.misshapen = protectsOthers(protect, (segments) => isIdOf(schema, segments));
  return {
    id: request.run,
    begunAt: performance.now(),
    target,
    schema,
    reader: new KeyReader(schema),
    spellers: spellersOf(schema),
    store,
    keys: new HeldKeys(schema.scanned.map(({ template }) => template.prefix)),
    sightings: options.sightings ?? null,
    staleAfterSeconds: request.staleAfterSeconds,
    dryRun: request.dryRun,
    memoryBudgetBytes: options.memoryBudgetBytes ?? target.settings.memoryBudget,
    tally,
    observer,
    signal: options.signal ?? new AbortController().signal,
    vanished: [],
    leaving: new Map(),
    outlook: options.horizon === undefined ? null : outlookOf(target, request),
    expiring: options.horizon?.counts.expiring ?? 0,
    hold: new Hold(
      options.past ?? null,
      request.force ? false : target.settings.suddenSilence,
      request.staleAfterSeconds,
    ),
    isProtected: protect.length === 0 ? null : protectionOf(protect),
    mixedFamilies: new MixedFamilies(
      observer.removed !== undefined || observer.list !== undefined,
      observer.list !== undefined,
    ),
    kept: new Distinct(),
    unjudged: new Distinct(),
    memory: request.dryRun ? new MemorySample(schema.families.length) : null,
    trash: trash > 0 ? new Trash(trash, request.run, target.whole.clock.nowSeconds) : null,
  };
}

/** Who was found, in a sentence: the usual states, and what there is of others. */
function statesIn({ active, stale, unreadable, lapsed, held, protected: spared }: CoordinatorCounts): string {
  const others = [
    lapsed > 0 ? [`${lapsed} of the stale have lapsed`] : [],
    held > 0 ? [`${held} held`] : [],
    spared > 0 ? [`${spared} protected`] : [],
  ];
  return [`${active} active`, `${stale} stale`, `${unreadable} unreadable`, ...others.flat()].join(', ');
}

/** Finds who is stale, and sweeps them, partition by partition; why not, if refused. */
async function cleanTarget(run: Run, force: boolean, confirm: RunOptions['confirm']): Promise<string | null> {
  const { observer, store, tally } = run;
  const { settings } = run.target;
  const { copy } = run.target;
  observer.phase?.('mark', `looking for stale coordinators${copy === null ? '' : `, as ${copy} shows them`}`);
  if (!run.dryRun) await run.target.births?.begin(run.schema.heartbeat.prefix, run.target.keyspace, run.signal);
  const marked = await mark(run);
  tally.walk++;
  const recalled = await recallLapsed(run);
  if (run.outlook !== null) run.outlook.sighted = marked.heartbeatsExpire || recalled.any;
  await holdIfSudden(run);
  const keysHeld = marked.keysHeld && recalled.fits;
  observer.phase?.('gather', statesIn(tally.coordinators));
  tally.walks += (keysHeld ? 0 : 1) + 2 * (store.partitions.count - 1);
  let reason = refusal(run, settings, force);
  let told: Gathered | null = null;
  // Of the lapsed many may have left in good order: they are no reason to refuse. Of others there may be only orphans: they count.
  const isAsked = confirm !== undefined && reason === null && !run.dryRun && tally.due > 0;
  const asksWhose = (reason !== null && tally.lapsed > 0) || run.schema.orphanFamilies.size > 0 || isAsked;
  if (asksWhose && (keysHeld || run.schema.scanned.length === 0)) {
    told = await tellWhoseKeysAre(run, true);
    reason = refusal(run, settings, force);
    // Nor does a refused run count orphans only because it asked.
    if (reason !== null) {
      tally.orphans = null;
      run.kept.clear();
    }
  }
  let ended = false;
  try {
    if (isAsked && reason === null && tally.due > 0) {
      // Without whose keys they are it would say far too little.
      const memoryEstimateBytes = told === null ? undefined : await estimateAhead(run);
      stopIfInterrupted(run);
      const isMeant = await confirm({ coordinators: tally.coordinators, memoryEstimateBytes });
      if (!isMeant) throw new Unconfirmed('nobody said yes');
    }
    if (reason === null) await sweepPartitions(run, keysHeld, told);
    else await noteLeft(run);
    ended = reason === null;
  } finally {
    // Without a look at each partition nobody can say who is left; a dry run that failed has not noted whom it would have left.
    const whole = ended || (store.partitions.count === 1 && !(run.dryRun && reason === null));
    if (!ended && reason === null && whole && !run.dryRun) await noteLeft(run);
    if (marked.heartbeatsExpire || recalled.any) await keepSightings(run, recalled, whole);
  }
  return reason;
}
