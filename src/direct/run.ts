/** direct run: one cleanup here and now, without the queue, and its record (P13).
 *
 *      open ledger ──▶ open target ──▶ run, noted in the ledger ──▶ look kept for the pages
 *
 *  Owns      that a run outside the queue goes by what earlier ones left, and leaves its own record.
 *  Leaves    what is printed, asked and returned to whoever wants it: the command line, the library.
 */
import type { Observer } from '../cleanup/context.ts';
import { type RunOptions, runCleanup } from '../cleanup/run.ts';
import { reportAhead } from '../cleanup/tally/report.ts';
import { fingerprintOf } from '../config/fingerprint.ts';
import type { QueueConfig, TargetConfig } from '../config/resolve.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import type { Report, Trigger } from '../domain/report.ts';
import type { LedgerSettings } from '../ledger/ledger.ts';
import { type OpenLedger, openLedger } from '../ledger/openLedger.ts';
import { RunFollower } from '../ledger/recording/followRun.ts';
import { RunRecorder, type RunToRecord } from '../ledger/recording/recorder.ts';
import { newRunId } from '../ledger/runs/runId.ts';
import { outagesOf, promotedAtOf } from '../ledger/targets/outagesOf.ts';
import { pastOf } from '../ledger/targets/past.ts';
import { explain } from '../redis/connection/explain.ts';
import { openTarget } from '../redis/target/openContact.ts';
import type { Target } from '../redis/target/target.ts';
import { keepLook } from '../status/keepLook.ts';
import { traced } from '../telemetry/tracing.ts';
import { wordsOf } from '../redis/rights/refusals.ts';

/** How long whoever interrupts a run waits for what is under way: in ms, of a target that stands still, and of a ledger. */
const TARGET_LEAVE_MS = 1_500;
const LEDGER_LEAVE_MS = 3_000;
/** How long the end of a run is repeated to a ledger that does not take it, and once the run was interrupted, in ms. */
const INSIST_MS = 5_000;
const INSIST_LEAVING_MS = 2_000;

export interface DirectRun {
  readonly target: TargetConfig;
  /** Where the ledger is; `null`: there is none, so that nobody without a heartbeat is known, and nobody is held. */
  readonly queue: QueueConfig | null;
  readonly ledger: LedgerSettings;
  readonly trigger: Trigger;
  /** Who asks, as the ledger notes it. */
  readonly by: string | null;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Whether it leaves a record; a dry run leaves none. */
  readonly record: boolean;
  /** Aborting it ends the run after the chunk in progress. */
  readonly signal: AbortSignal;
  readonly observer: Observer;
  readonly confirm?: RunOptions['confirm'];
  /** Told the report so far of a run that fails once its target has answered, before it fails. */
  readonly failed?: (report: Report) => void;
}

/**
 * Cleans a target once. Resolves to the report, whatever its outcome. Fails with `UNREACHABLE` or `DENIED`; with `INTERRUPTED` once the
 * signal is aborted, unless with a `StopWish`; with `RUN_FAILED` for anything else.
 */
export async function runDirectly(wanted: DirectRun): Promise<Report> {
  const { target, trigger } = wanted;
  const run = newRunId(Date.now());
  const dryRun = wanted.dryRun || target.mode === 'observe';
  return await traced({ run, target: target.name, trigger, dryRun, attempt: 1 }, async (onPhase) => {
    const phase: Observer['phase'] = (name, sentence) => {
      onPhase(name);
      wanted.observer.phase?.(name, sentence);
    };
    return await clean({ ...wanted, dryRun, observer: { ...wanted.observer, phase } }, run);
  });
}

async function clean(wanted: DirectRun, run: string): Promise<Report> {
  const { target: settings, queue, trigger, dryRun, force, signal, observer } = wanted;
  const warn = (sentence: string) => observer.warn?.(sentence);
  let target: Target | null = null;
  let past = null as OpenLedger | null;
  let recorder: RunRecorder | null = null;
  let soFar: (() => Report) | null = null;
  const leave = () => {
    setTimeout(() => target?.close(), TARGET_LEAVE_MS).unref();
    setTimeout(() => past?.close(), LEDGER_LEAVE_MS).unref();
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    // Once the target has answered: where it does not, nothing else matters.
    const outages = async (nowMs: number) => {
      past = queue === null ? null : await openPast(queue, wanted, warn);
      return past === null ? [] : await outagesOf(past.ledger, settings, nowMs, signal);
    };
    const leavesRecord = wanted.record && !dryRun;
    const promotedAt = async (histories: readonly string[], nowMs: number) =>
      past === null
        ? new Map<string, number>()
        : await promotedAtOf(past.ledger, settings, histories, nowMs, leavesRecord);
    target = await openTarget(settings, { dryRun, signal, warn, outages, promotedAt });
    // Of dry runs, those of the queue are recorded.
    const recorded = leavesRecord && (await mayRecord(past, warn)) ? past : null;
    recorder = recorderOf(recorded, { ...identityOf(wanted), run }, warn);
    const { stopwatch } = target;
    const request = {
      run,
      trigger,
      dryRun,
      staleAfterSeconds: settings.staleAfterSeconds,
      force,
      attempts: 1,
      carried: null,
      startedAt: Date.now(),
    };
    soFar = () => reportAhead(settings, stopwatch, request);
    recorder.begins(soFar);
    await recorder.begin();
    const report = await runCleanup(target, request, {
      observer: noted(
        {
          ...observer,
          begins: (report) => {
            soFar = report;
          },
        },
        recorder,
        recorded === null ? null : new RunFollower(recorder),
      ),
      signal,
      ...(wanted.confirm === undefined ? {} : { confirm: wanted.confirm }),
      ...(past === null
        ? {}
        : {
            sightings: past.sightingsOf(settings, { mostBytes: settings.sightings, readOnly: dryRun, warn }),
            past: await pastOf(past.ledger, settings.name, fingerprintOf(settings)).catch(() => null),
          }),
    });
    await recorder.end({ outcome: report.outcome, report });
    if (recorded !== null) await keepLook(recorded.ledger, target, report, signal);
    return report;
  } catch (error) {
    const known = explain(error, settings);
    const reason = sentenceOf(known);
    await recorder?.end({ outcome: 'failed', reason });
    if (soFar !== null) wanted.failed?.({ ...soFar(), outcome: 'failed', reason });
    if (known instanceof Failure) throw known;
    throw new Failure('RUN_FAILED', `the run failed: ${sentenceOf(known)}`, { cause: known });
  } finally {
    signal.removeEventListener('abort', leave);
    target?.close();
    past?.close();
  }
}

/** The same observer, with the record kept beside it. */
function noted(observer: Observer, recorder: RunRecorder, follower: RunFollower | null): Observer {
  return {
    ...observer,
    ...follower?.observer,
    begins: (soFar) => {
      observer.begins?.(soFar);
      recorder.begins(soFar);
    },
    phase: (phase, sentence) => {
      observer.phase?.(phase, sentence);
      recorder.phase(phase);
    },
    progress: (phase, tally) => {
      observer.progress?.(phase, tally);
      recorder.progress();
    },
  };
}

/** What is known of earlier runs; `null`, and a line, where that can't be had. */
async function openPast(
  queue: QueueConfig,
  { ledger, signal }: DirectRun,
  warn: (sentence: string) => void,
): Promise<OpenLedger | null> {
  try {
    return await openLedger(queue, ledger, signal);
  } catch (error) {
    signal.throwIfAborted();
    warn(`this run is not recorded, and goes by the heartbeats there are: ${wordsOf(error)}`);
    return null;
  }
}

/** Whether it may be recorded; where not, a line says so: noted in parts it would stand there as one that was lost. */
async function mayRecord(past: OpenLedger | null, warn: (sentence: string) => void): Promise<boolean> {
  // What is no refusal the record waits for.
  const why = (await past?.whyNot().catch(() => null)) ?? null;
  if (why !== null) warn(`this run is not recorded: ${why}`);
  return why === null;
}

function identityOf({ target, trigger, by, signal }: DirectRun): Omit<RunToRecord, 'run'> {
  return {
    target: target.name,
    fingerprint: fingerprintOf(target),
    trigger,
    by,
    dryRun: false,
    ...(target.trash > 0 ? { trashMs: target.trash } : {}),
    families: target.schema.families,
    attempt: 1,
    insistMs: () => (signal.aborted ? INSIST_LEAVING_MS : INSIST_MS),
  };
}

function recorderOf(past: OpenLedger | null, run: RunToRecord, warn: (sentence: string) => void): RunRecorder {
  return past === null ? new RunRecorder(null, run, warn) : past.ledger.record(run, warn);
}
