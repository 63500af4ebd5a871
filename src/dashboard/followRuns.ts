/** followRuns: counts every run that ends, whichever worker did it, by listening to the queue. */
import { mayBeOf } from '../config/fingerprint.ts';
import type { QueueConfig, TargetConfig } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import type { Report } from '../domain/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PastRun } from '../ledger/runs/pastRun.ts';
import type { Logger } from '../log/logger.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { Queues, QueueWatch } from '../queue/queues.ts';
import { listenToRuns } from '../queue/runEvents.ts';
import { reportIn } from '../queue/runs/reportIn.ts';
import { sealedIn } from '../queue/runs/sealed.ts';

/** Which past runs tell the present state of a target; those that looked at everybody may be few. */
const TELLING = [
  { outcome: 'completed' },
  { outcome: 'completed', fullPass: true },
  { outcome: 'refused' },
  { outcome: 'stopped' },
] as const;
/** How many of each are looked at. */
const LOOK_BACK = 100;
/** For how long, in ms, where hardly any of them is counted. */
const LOOK_MS = 200;

function countedReport(value: unknown, targets: ReadonlyMap<string, TargetConfig>): Report | null {
  const report = reportIn(value);
  return report !== null && targets.has(report.target) ? report : null;
}

function parsed(returned: unknown): unknown {
  if (typeof returned !== 'string') return returned;
  try {
    return JSON.parse(returned);
  } catch {
    return null;
  }
}

export interface FollowParts {
  readonly queue: string | QueueConfig;
  readonly watch: QueueWatch;
  readonly queues: Queues;
  readonly ledger: Ledger;
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The reports of a target that tell its present state, the oldest first. Those of the command line are counted nowhere. */
async function lastReports(ledger: Ledger, target: TargetConfig): Promise<Report[]> {
  const isOurs = ({ fingerprint, trigger }: Pick<PastRun, 'fingerprint' | 'trigger'>) =>
    trigger !== 'cli' && mayBeOf(target, fingerprint);
  const asked = { target: target.name, isOurs, limit: LOOK_BACK, mostMs: LOOK_MS };
  const pages = await Promise.all(TELLING.map(async (alike) => await ledger.history({ ...asked, ...alike })));
  const reports = pages.flatMap(({ runs }) => runs.flatMap(({ report }) => report ?? []));
  return reports.sort((a, b) => Date.parse(a.finishedAt) - Date.parse(b.finishedAt));
}

/**
 * Counts runs from now on, until closed. Of past runs only the present state is taken (the last success, say): counting
 * them would count them again after each restart. The ledger tells it, which no click empties. Survives outages and then catches
 * up. Fails (`UNREACHABLE`) when the queue's Redis is not there.
 */
export async function followRuns(parts: FollowParts): Promise<{ close(): Promise<void> }> {
  const { queues, ledger, targets, metrics, logger, watch } = parts;
  const listening = await listenToRuns(parts.queue, watch);
  const { events } = listening;

  for (const { name, schema } of targets.values()) metrics.expect(name, schema.families);

  const seed = async (): Promise<void> => {
    const past = await Promise.all([...targets.values()].map(async (target) => await lastReports(ledger, target)));
    for (const report of past.flat()) metrics.lastKnown(report);
  };
  /** Whether a run had ended before: its job came back. Event ids begin with an instant by the queue's Redis. */
  const isRepeated = async (run: string, event: string): Promise<boolean> => {
    const progress = await queues.connection.hget(queues.runs.toKey(run), 'progress');
    const backAt = sealedIn(parsed(progress))?.backAt ?? null;
    return backAt !== null && Number.parseInt(event, 10) >= backAt;
  };
  const completed = async (run: string, returned: unknown): Promise<void> => {
    const report = countedReport(parsed(returned), targets);
    if (report === null) logger.warn({ run }, 'a run ended without a report that can be read; it is not counted');
    else metrics.reported(report);
  };
  const failed = async (run: string): Promise<void> => {
    const target = (await queues.runs.getJob(run))?.data?.target;
    metrics.failed(typeof target === 'string' && targets.has(target) ? target : 'unknown');
  };

  // One after the other, the past first: an old report must not overwrite what a newer one said.
  let line: Promise<void> = Promise.resolve();
  const then = (step: () => Promise<void>) => {
    line = line.then(step).catch((error: unknown) => {
      logger.warn({ error: sentenceOf(error) }, 'a run could not be counted');
    });
    return line;
  };
  // BullMQ emits `failed` only once no attempt is left.
  events.on('completed', ({ jobId, returnvalue }, event) => {
    void then(async () => {
      if (!(await isRepeated(jobId, event))) await completed(jobId, returnvalue);
    });
  });
  events.on('failed', ({ jobId }, event) => {
    void then(async () => {
      if (!(await isRepeated(jobId, event))) await failed(jobId);
    });
  });
  await events.waitUntilReady();
  await then(seed);

  return {
    close: async () => {
      await listening.close();
      await line;
    },
  };
}
