/** sweep: one run of one target, for programs: what would go (`plan`), and what goes (`sweep`). */
import { hostname } from 'node:os';
import type { Ahead } from '../cleanup/guards/ahead.ts';
import type { Observer } from '../cleanup/context.ts';
import { StopWish } from '../cleanup/run.ts';
import { type Listed, listedOf } from '../direct/listed.ts';
import { runDirectly } from '../direct/run.ts';
import type { Phase } from '../domain/phase.ts';
import type { Report } from '../domain/report.ts';
import { Failure } from '../domain/failure.ts';
import { joinTracing } from '../telemetry/tracing.ts';
import { flagOf, insistOnKinds, optionsOf } from './arguments.ts';
import { resolve, type TargetOptions } from './options.ts';

export interface Progress {
  readonly phase: Phase;
  /** From 0 to 100, as far as that can be told. */
  readonly percent: number;
  /** Coordinators judged, found stale, and swept so far. */
  readonly checked: number;
  readonly stale: number;
  readonly swept: number;
  /** Things removed so far; of a plan, found. */
  readonly keys: number;
}

/** How a caller goes along with a run. What these functions throw is thrown outside of the run, which goes on. */
export interface Following {
  /**
   * Aborting it ends the run after the chunk in progress; it resolves then, with the outcome `interrupted` and what was removed so far. A
   * run that has not reached its target rejects with the signal's reason.
   */
  readonly signal?: AbortSignal;
  /** Told how the run goes on, after each call: whoever draws should thin it out. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told, in a sentence, what an operator should know and is no failure. */
  readonly onWarning?: (sentence: string) => void;
  /** Told who goes, with all that goes with it, as it goes; awaited. */
  readonly onCoordinator?: (coordinator: Listed) => void | Promise<void>;
}

export interface PlanOptions extends TargetOptions, Following {}

export interface SweepOptions extends PlanOptions {
  /** Sweep whatever `maxStale`, `maxStaleFraction` and `suddenSilence` say. @default false */
  readonly force?: boolean;
  /** Asked once, when it is known who is stale and before anything is removed; after anything but `true` the run ends as `stopped`. */
  readonly confirm?: (ahead: Ahead) => boolean | Promise<boolean>;
}

/**
 * What a run would remove now. Writes nothing, to the target or elsewhere; counts are those that `sweep` would reach.
 * Fails with a `Failure`: `CONFIG` (options), `UNREACHABLE` or `DENIED` (Redis), `RUN_FAILED`.
 */
export async function plan(options: PlanOptions): Promise<Report> {
  return await runOnce(optionsOf(options, 'plan'), { dryRun: true });
}

/**
 * Removes everything that stale coordinators left, once, and resolves to the report, whatever its outcome: look at `outcome`. Recorded in
 * the ledger before anything goes. Any number of runs may overlap: nothing is removed twice, nor of anybody who beats again.
 * Fails with a `Failure`: `CONFIG` (options), `UNREACHABLE` or `DENIED` (Redis), `RUN_FAILED`; the next run finds what is left.
 */
export async function sweep(options: SweepOptions): Promise<Report> {
  return await runOnce(optionsOf(options, 'sweep'), { dryRun: false });
}

interface Wanted {
  readonly dryRun: boolean;
  readonly onPhase?: (phase: Phase, sentence: string) => void;
}

/** One run. @internal */
export async function runOnce(options: SweepOptions, { dryRun, onPhase }: Wanted): Promise<Report> {
  const { signal, force = false, confirm, onProgress, onWarning, onCoordinator, ...settings } = options;
  insistOnKinds({ signal, confirm, onProgress, onWarning, onCoordinator });
  const { target, queue, ledger } = resolve(settings);
  signal?.throwIfAborted();
  await joinTracing();
  const stop = new AbortController();
  const onAbort = () => stop.abort(new StopWish('it was interrupted by its caller', 'interrupted'));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await runDirectly({
      target,
      queue,
      ledger,
      trigger: 'manual',
      by: `${hostname()}:${process.pid}`,
      dryRun,
      force: flagOf(force, 'force'),
      record: true,
      signal: stop.signal,
      observer: observerOf({ onProgress, onWarning, onCoordinator, onPhase }, target.schema.families),
      ...(confirm === undefined ? {} : { confirm: async (ahead) => await answerOf(confirm, ahead, stop.signal) }),
    });
  } catch (error) {
    if (stop.signal.aborted && isBecauseOf(error, stop.signal.reason)) signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Whether this is what something failed for, or what that failed for in its turn. */
function isBecauseOf(error: unknown, reason: unknown): boolean {
  return error === reason || (error instanceof Error && error.cause !== undefined && isBecauseOf(error.cause, reason));
}

/** What the caller answers: `true` alone is a yes. An abort waits for no answer. */
async function answerOf(
  confirm: NonNullable<SweepOptions['confirm']>,
  ahead: Ahead,
  signal: AbortSignal,
): Promise<boolean> {
  const answered = Promise.resolve(ahead).then(confirm);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Failure('INTERRUPTED', 'it was interrupted by its caller'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return (await Promise.race([answered, aborted])) === true;
  } finally {
    signal.removeEventListener('abort', onAbort);
    answered.catch(() => {});
  }
}

/** Calls what may throw, and lets it throw where nothing of the run is: a run that ends between two calls counts wrong. */
function apart<Args extends unknown[]>(tell: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      tell(...args);
    } catch (error) {
      throwOutside(error);
    }
  };
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

type Told = {
  readonly [Name in 'onProgress' | 'onWarning' | 'onCoordinator']: SweepOptions[Name] | undefined;
} & { readonly onPhase: Wanted['onPhase'] | undefined };

function observerOf({ onProgress, onWarning, onCoordinator, onPhase }: Told, families: readonly string[]): Observer {
  return {
    ...(onPhase === undefined ? {} : { phase: apart(onPhase) }),
    ...(onWarning === undefined ? {} : { warn: apart(onWarning) }),
    ...(onProgress === undefined
      ? {}
      : {
          progress: apart((phase, { percent, coordinators, keys }) => {
            const { checked, stale, swept } = coordinators;
            onProgress({ phase, percent, checked, stale, swept, keys });
          }),
        }),
    ...(onCoordinator === undefined
      ? {}
      : {
          list: async (removals) => {
            for (const removal of removals) {
              try {
                await onCoordinator(listedOf(removal, families));
              } catch (error) {
                throwOutside(error);
              }
            }
          },
        }),
  };
}
