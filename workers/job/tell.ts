/** tell: what the log says of runs that fail. Each is in the history; a target that is down or full for a night, and each
 * of its runs with it, gets one line when that begins and one when it ends. */
import type { Job, Worker } from 'bullmq';
import { Failure } from '../../src/domain/failure.ts';
import { isoOf } from '../../src/domain/instant.ts';
import type { Report } from '../../src/domain/report.ts';
import type { Logger } from '../../src/log/logger.ts';
import { beginsToFail, failingSince, worksAgain } from '../../src/queue/failing.ts';
import type { RunData } from '../../src/queue/runs/payload.ts';
import type { Queues } from '../../src/queue/queues.ts';

/** Whether the target is why a run failed: neither what it was asked to do, nor what became of its workers. */
function isTargets({ cause }: Error): boolean {
  return cause !== undefined && !(cause instanceof Failure && ['JOB_DATA', 'INTERRUPTED'].includes(cause.code));
}

/** Logs what becomes of runs. `targetIn`: the target a job is about, `null` when it is about none. */
export function tellOfRuns(
  runs: Worker<RunData, Report>,
  queues: Queues,
  logger: Logger,
  targetIn: (data: RunData | undefined) => string | null,
): void {
  const failed = async (job: Job<RunData, Report> | undefined, error: Error): Promise<void> => {
    const target = targetIn(job?.data);
    const fields = { run: job?.id, target: target ?? 'unknown', error: error.message };
    const attempt = job?.finishedOn === undefined ? 'attempt failed; will be retried' : 'run failed';
    if (target === null || !isTargets(error)) logger.error(fields, attempt);
    else if (await beginsToFail(queues, target)) {
      logger.error(fields, `${attempt}; more of this target are told in the history alone, until one succeeds`);
    } else logger.debug(fields, attempt);
  };
  const completed = async ({ outcome, target }: Report): Promise<void> => {
    if (outcome === 'skipped') return;
    const failedMs = await worksAgain(queues, target);
    if (failedMs !== null) logger.info({ target, seconds: Math.round(failedMs / 1000) }, 'runs succeed again');
  };
  // When the queue can't be asked, that is told already.
  runs.on('failed', (job, error) => void failed(job, error).catch(() => {}));
  runs.on('completed', (_job, report) => void completed(report).catch(() => {}));
}

/** Says which targets' runs have failed since before this process began. */
export async function tellOfFailing(queues: Queues, targets: Iterable<string>, logger: Logger): Promise<void> {
  for (const target of targets) {
    const since = await failingSince(queues, target).catch(() => null);
    if (since !== null) logger.warn({ target, since: isoOf(since) }, 'runs fail');
  }
}

/** What runs warn of, without what the run of the same target before them warned of too. */
export class Warnings {
  readonly #last = new Map<string, Set<string>>();
  readonly #before = new Map<string, ReadonlySet<string>>();

  /** For a run that begins: whether a sentence is news. */
  begin(target: string): (sentence: string) => boolean {
    const before = this.#last.get(target) ?? new Set();
    const said = new Set<string>();
    this.#last.set(target, said);
    this.#before.set(target, before);
    return (sentence) => {
      said.add(sentence);
      return !before.has(sentence);
    };
  }

  /** The run that began last has not looked at everybody: what was so before may be so still. */
  goOn(target: string): void {
    for (const sentence of this.#before.get(target) ?? []) this.#last.get(target)?.add(sentence);
  }
}

/** Names of each reason in the log's sentence; its fields have the whole sample. */
const NAMES_TOLD = 3;

/** Which heartbeats a run could not judge, and why, in one sentence; `news` is the same as long as nothing changes. */
export function unreadableIn({ unreadable }: Report): { readonly sentence: string; readonly news: string } | null {
  if (unreadable.length === 0) return null;
  const told = unreadable.map(({ why, count, sample }) => {
    const names = sample.slice(0, NAMES_TOLD).join(', ');
    return `${count} ${why} (${names}${count > NAMES_TOLD ? ', …' : ''})`;
  });
  // Which names of many a walk meets first may change though nothing else does.
  const known = unreadable.map(({ why, count, sample }) => [
    why,
    count,
    sample.length < count ? [] : sample.toSorted(),
  ]);
  return {
    sentence: `heartbeats that can't be judged are kept: ${told.join('; ')}`,
    news: `unreadable ${JSON.stringify(known)}`,
  };
}

/** A report as the log has it. */
export function inShort({ coordinators, keys, durationMs, outcome, pass, dryRun }: Report): object {
  const counts = pass === 'none' ? {} : { ...coordinators, deleted: keys.deleted };
  return { outcome, pass, durationMs, ...counts, dryRun };
}
