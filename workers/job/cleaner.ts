/** cleaner: what a worker does with one job. The only place where the queue and the run meet. */
import type { Observer } from '../../src/cleanup/context.ts';
import type { RunOptions } from '../../src/cleanup/run.ts';
import { runFrom } from '../../src/cleanup/scheduled.ts';
import { reportAhead } from '../../src/cleanup/tally/report.ts';
import { areOneServer, fingerprintOf } from '../../src/config/fingerprint.ts';
import type { Config, TargetConfig } from '../../src/config/resolve.ts';
import { AnySignal } from '../../src/domain/anySignal.ts';
import type { Report } from '../../src/domain/report.ts';
import { nextGapMs } from '../../src/health/interval.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { outagesOf, promotedAtOf } from '../../src/ledger/targets/outagesOf.ts';
import { pastOf } from '../../src/ledger/targets/past.ts';
import { RunSightings } from '../../src/ledger/sightings/runSightings.ts';
import type { Logger } from '../../src/log/logger.ts';
import type { Metrics } from '../../src/metrics/registry.ts';
import { DelayedError, UnrecoverableError, WaitingError } from '../../src/queue/bullmq.ts';
import { runInProgress, skippedReport } from '../../src/queue/runs/overlap.ts';
import type { RunPayload } from '../../src/queue/runs/payload.ts';
import type { Queues } from '../../src/queue/queues.ts';
import { isBack, sealedIn } from '../../src/queue/runs/sealed.ts';
import { LOOK_AGAIN_MS, whoseRun } from '../../src/queue/whose.ts';
import { Stopwatch } from '../../src/redis/call/stopwatch.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import type { Contact } from '../../src/redis/target/contact.ts';
import { openContact } from '../../src/redis/target/openContact.ts';
import { keepLook } from '../../src/status/keepLook.ts';
import type { TracedRun } from '../../src/telemetry/runSpan.ts';
import { type OnPhase, traced } from '../../src/telemetry/tracing.ts';
import { forHistory, isLast } from './attempts.ts';
import { Fence } from './fence.ts';
import { endAgain, seal, standingEnd } from './finality.ts';
import { earlierAttempts, Journal, type RunJob } from './journal.ts';
import { Recording } from './recording.ts';
import { StopWatch } from './stopWish.ts';
import { inShort, unreadableIn, Warnings } from './tell.ts';

export interface CleanerParts {
  readonly config: Config;
  readonly queues: Queues;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborted when the process is to end: runs in progress go back to the queue. */
  readonly stopping: AbortSignal;
  /** How long a job's lock lasts, in ms. */
  readonly lockMs: number;
}

/** How long a process that is to end waits for the chunk in progress. */
const DROP_MS = 1_000;

/** What all jobs of a worker share. */
interface Tools extends CleanerParts {
  readonly warnings: Warnings;
}

interface RunParts {
  readonly signal: AbortSignal;
  readonly warn: (sentence: string) => void;
  readonly observer: Observer;
}

/** What a run that looks at everybody has to know of earlier ones. */
async function knownOf(
  { ledger }: CleanerParts,
  target: TargetConfig,
  { signal, warn, observer }: RunParts,
): Promise<RunOptions> {
  return {
    signal,
    sightings: new RunSightings(ledger.sightingsOf(target), { mostBytes: target.sightings, warn }),
    past: await pastOf(ledger, target.name, fingerprintOf(target)).catch(() => null),
    observer,
  };
}

/** Cleans the target that a job asks for, and tells queue, ledger, log and metrics of it. */
async function clean(
  parts: Tools,
  job: RunJob,
  token: string,
  payload: RunPayload,
  lost: AbortSignal,
  onPhase: OnPhase,
): Promise<Report> {
  const { queues, metrics, stopping, ledger, warnings } = parts;
  const { target } = payload;
  const logger = parts.logger.child({ run: job.id, target: target.name });
  const fence = new Fence(queues, job, lost, stopping);
  const wish = new StopWatch(queues, String(job.id));
  const ends = new AnySignal(stopping, fence.signal, wish.signal);
  const { signal } = ends;
  const earlier = earlierAttempts(job) ?? { startedAt: Date.now(), carried: null };
  const request = {
    run: String(job.id),
    trigger: payload.trigger,
    dryRun: payload.dryRun,
    staleAfterSeconds: payload.staleAfterSeconds,
    force: payload.force,
    attempts: job.attemptsMade + 1,
    ...earlier,
  };
  const stopwatch = new Stopwatch((call, ms) => metrics.called(target.name, call, ms));
  const isNews = warnings.begin(target.name);
  const warn = (sentence: string) => {
    if (isNews(sentence)) logger.warn(sentence);
    journal.note(sentence);
  };
  const tellOfUnreadable = (report: Report): void => {
    const unreadable = unreadableIn(report);
    if (unreadable === null) return;
    if (isNews(unreadable.news)) logger.warn({ unreadable: report.unreadable }, unreadable.sentence);
    journal.note(unreadable.sentence);
  };
  const journal = new Journal(job, token, parts.lockMs, stopwatch, fence.insistMs, earlier, () => fence.close());
  const outages = async (nowMs: number) => await outagesOf(ledger, target, nowMs, signal);
  const promotedAt = async (histories: readonly string[], nowMs: number) =>
    await promotedAtOf(ledger, target, histories, nowMs, true);
  const soFar = () => reportAhead(target, stopwatch, request);
  const makesRoom = areOneServer(parts.config.queue, target);
  const noted = { payload, insistMs: fence.insistMs, until: signal, soFar, makesRoom };
  const record = await Recording.begin(ledger, job, noted, warn);
  const observer: Observer = {
    ...record.observer,
    phase: (phase, sentence) => {
      logger.debug({ phase }, sentence);
      journal.phase(phase, sentence);
      record.phase(phase);
      onPhase(phase);
    },
    progress: (phase, tally) => {
      journal.progress(phase, tally);
      record.progress();
    },
    caughtUp: () => (makesRoom ? null : journal.caughtUp(signal)),
    warn,
  };
  const wishes = { dryRun: payload.dryRun, signal, warn, outages, promotedAt, leavesSilent: true };
  const cleanOpened = async (contact: Contact): Promise<Report> => {
    // A chunk takes milliseconds: a target that has not answered by then may never do.
    const drop = () => setTimeout(() => contact.close(), DROP_MS).unref();
    stopping.addEventListener('abort', drop, { once: true });
    await wish.begin();
    try {
      const report = await runFrom(contact, request, {
        wishes,
        horizons: ledger.horizonsOf(target),
        gapSeconds: () => nextGapMs(target, Date.now()) / 1000,
        onLook: (look) => logger.debug(look.pass === 'full' ? look : { pass: look.pass }, 'by the horizon'),
        observer,
        full: async () => await knownOf(parts, target, { signal, warn, observer }),
      });
      if (report.pass !== 'full') warnings.goOn(target.name);
      tellOfUnreadable(report);
      // Whoever needed no look takes none after.
      if (report.pass === 'full') await keepLook(ledger, await contact.examine(wishes), report, signal);
      return report;
    } finally {
      wish.end();
      stopping.removeEventListener('abort', drop);
      contact.close();
      await journal.flush();
    }
  };
  try {
    const report = await cleanOpened(await openContact(target, signal, stopwatch));
    if (fence.isClosed && !(await fence.isGone())) throw new Error('another worker has taken the run over');
    await record.ended(report);
    logger.info(inShort(report), 'run ended');
    return report;
  } catch (error) {
    if (fence.isClosed) {
      if (await fence.isGone()) await record.gone();
      else record.lost();
      throw explain(error, target);
    }
    if (!signal.aborted) {
      const known = explain(error, target);
      await record.failed(known, !isLast(job, forHistory(known, job.attemptsMade + 1)));
      throw known;
    }
    await record.failed(error, true);
    // Back to the head of the queue at once, without burning an attempt: another worker goes on.
    logger.info('handing the run back to the queue');
    await job.moveToWait(token);
    throw new WaitingError();
  } finally {
    ends.release();
  }
}

/** An attempt of a run as traces tell of it. */
function tracedOf(job: RunJob, { target, trigger, dryRun }: RunPayload): TracedRun {
  return {
    run: String(job.id),
    target: target.name,
    trigger,
    dryRun,
    attempt: job.attemptsMade + 1,
  };
}

/** Makes the function that a BullMQ worker calls for each job. */
export function createCleaner(parts: CleanerParts) {
  const { config, queues } = parts;
  const tools = { ...parts, warnings: new Warnings() };

  /** Back to the queue without burning an attempt; whoever can do it takes it when it is due. */
  const leaveToOthers = async (job: RunJob, token: string, why: string): Promise<never> => {
    parts.logger.debug({ run: job.id, why }, 'leaving the run to others');
    await job.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token);
    throw new DelayedError();
  };

  return async (job: RunJob, token = '', lost: AbortSignal = new AbortController().signal): Promise<Report> => {
    const sealed = sealedIn(job.progress);
    if (sealed !== null && isBack(job, sealed)) return await endAgain(queues, config.targets, job, sealed);
    try {
      const end = await standingEnd(parts.ledger, job, sealed);
      if (end !== null) {
        await seal(job, token, parts.lockMs, end);
        if ('report' in end) return end.report;
        throw new UnrecoverableError(end.failure);
      }
      const whose = await whoseRun(queues, config.targets, String(job.id), job.data);
      if (whose.ours === null) return await leaveToOthers(job, token, whose.why);
      const payload = whose.ours;
      const other = await runInProgress(queues.runs, job, payload.target);
      if (other?.doesSame === false) return await leaveToOthers(job, token, `run ${other.run} is in progress there`);
      const report =
        other === null
          ? await traced(
              tracedOf(job, payload),
              async (onPhase) => await clean(tools, job, token, payload, lost, onPhase),
              (error) => error instanceof WaitingError,
            )
          : skippedReport(job, payload, other.run);
      await seal(job, token, parts.lockMs, { report });
      return report;
    } catch (error) {
      if (error instanceof WaitingError || error instanceof DelayedError) throw error;
      const shown = forHistory(error, job.attemptsMade + 1);
      if (isLast(job, shown) && !lost.aborted) await seal(job, token, parts.lockMs, { failure: shown.message });
      throw shown;
    }
  };
}
