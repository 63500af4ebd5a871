/** notifier: tells the receiver of `notify` what became of the runs that ended here. How the run before left the target stands in
 * the ledger, whichever worker did it: so of several workers the one that did the run tells of it, once, and none of what
 * another has told. */
import type { Job, Worker } from 'bullmq';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import type { Config, TargetConfig } from '../../src/config/resolve.ts';
import { eventOf, type Standing, standingAfter } from '../../src/domain/notice.ts';
import type { Report } from '../../src/domain/report.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { within } from '../../src/ledger/recording/patience.ts';
import type { Logger } from '../../src/log/logger.ts';
import { type EndedRun, messageOf } from '../../src/notices/message.ts';
import { Outbox } from '../../src/notices/outbox.ts';
import type { RunData } from '../../src/queue/runs/payload.ts';

/** So many runs are looked through for one that says how the target stood. */
const MOST_RUNS = 50;
/** How long a ledger that does not answer is waited for, in ms. */
const PATIENCE_MS = 5_000;

export interface NotifierParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly logger: Logger;
}

/**
 * Sends notices of the runs of this worker, until it is closed; does nothing without `notify`. Never in a run's way: all of it
 * happens after the run has ended.
 * @param isNews whether a job's end is one, and not that of a run that had ended before
 */
export function notifyOfRuns(
  runs: Worker<RunData, Report>,
  { config, ledger, logger }: NotifierParts,
  isNews: (job: Job<RunData, Report>) => boolean,
): { close(): Promise<void> } {
  const { notify } = config;
  if (notify === undefined) return { close: async () => {} };
  const untold = new Set<string>();
  const outbox = new Outbox(notify, logger, ({ target }) => untold.add(target));
  const seen = new Map<string, Stood>();

  const tell = async (target: TargetConfig, ended: EndedRun): Promise<void> => {
    // Dry runs are looked at by whoever asked for them.
    if (ended.dryRun && target.mode !== 'observe') return;
    const now = standingAfter(ended.outcome, ended.report);
    if (now === null) return;
    const told = await stoodBefore(ledger, target, ended).catch(() => null);
    const own = seen.get(target.name) ?? null;
    // What the ledger could not take is known to whoever did that run.
    const before = (own !== null && own.at > (told?.at ?? 0) ? own : told)?.standing ?? null;
    seen.set(target.name, { standing: now, at: ended.endedAt });
    // Whoever was not told yet hears of it as long as it lasts.
    const event = eventOf(now, before, ended.trigger !== 'schedule' || untold.has(target.name));
    untold.delete(target.name);
    if (event !== null && notify.on.includes(event)) outbox.put(messageOf(event, ended, before));
  };

  let telling: Promise<void> = Promise.resolve();
  const ended = (job: Job<RunData, Report>, report: Report | null): void => {
    const target = config.targets.get(String(job.data?.target));
    if (target === undefined || !isNews(job)) return;
    const run = endedRun(job, target, report);
    telling = telling
      .then(async () => await tell(target, run))
      .catch((error: unknown) => logger.error({ error }, 'notices'));
  };
  runs.on('completed', (job, report) => ended(job, report));
  runs.on('failed', (job) => {
    if (job?.finishedOn !== undefined) ended(job, null);
  });
  return {
    close: async () => {
      await telling;
      await outbox.close();
    },
  };
}

function endedRun(job: Job<RunData, Report>, target: TargetConfig, report: Report | null): EndedRun {
  return {
    run: String(job.id),
    target: target.name,
    fingerprint: fingerprintOf(target),
    trigger: report?.trigger ?? (job.data.trigger === 'schedule' ? 'schedule' : 'manual'),
    dryRun: report?.dryRun ?? (job.data.dryRun === true || target.mode === 'observe'),
    outcome: report?.outcome ?? 'failed',
    reason: report === null ? (job.failedReason ?? null) : (report.reason ?? null),
    attempts: report?.attempts ?? job.attemptsMade,
    endedAt: (report && Date.parse(report.finishedAt)) ?? job.finishedOn ?? Date.now(),
    report,
  };
}

/** How a target stood, and when, in ms. */
interface Stood {
  readonly standing: Standing;
  readonly at: number;
}

/** What the ledger says of the newest run of the queue before this one; `null` when it knows of none. Rejects without it. */
async function stoodBefore(
  ledger: Ledger,
  target: TargetConfig,
  { run, fingerprint }: EndedRun,
): Promise<Stood | null> {
  const { runs } = await within(
    PATIENCE_MS,
    async () => await ledger.history({ target: target.name, limit: MOST_RUNS }),
  );
  // One that had bad data does not stand there; then nothing newer does, either.
  const own = runs.findIndex((past) => past.run === run);
  for (const past of runs.slice(own + 1)) {
    // Another deployment may mean another target by the same name.
    if (past.fingerprint !== fingerprint) continue;
    // What the command line did was told there.
    if (past.trigger === 'cli' || (past.dryRun && target.mode !== 'observe')) continue;
    const standing = standingAfter(past.outcome, past.report);
    if (standing !== null) return { standing, at: past.atMs };
  }
  return null;
}
