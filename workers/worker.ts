/** worker: takes runs from the queue, one a target at a time, as many targets at once as configured. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Config } from '../src/config/resolve.ts';
import { Failure, sentenceOf } from '../src/domain/failure.ts';
import type { Report } from '../src/domain/report.ts';
import type { Logger } from '../src/log/logger.ts';
import type { Outage } from '../src/log/outages.ts';
import type { Metrics } from '../src/metrics/registry.ts';
import { sealedIn } from '../src/queue/runs/sealed.ts';
import { runOfTick } from '../src/queue/schedules/tick.ts';
import { Ledger } from '../src/ledger/ledger.ts';
import { announce, meantBy } from '../src/queue/members.ts';
import { whyNoQueue } from '../src/redis/rights/needs.ts';
import { explainRefusal } from '../src/queue/refusal.ts';
import { RUN_QUEUE, SCHEDULE_QUEUE } from '../src/queue/names.ts';
import { UnrecoverableError } from '../src/queue/bullmq.ts';
import type { RunData } from '../src/queue/runs/payload.ts';
import { queueTracing } from '../src/telemetry/tracing.ts';
import { connectQueue, openQueues, type Queues, type QueueWatch, type TickData } from '../src/queue/queues.ts';
import { createCleaner } from './job/cleaner.ts';
import { enterLane, leaveLanes } from './lanes.ts';
import { notifyOfRuns } from './job/notifier.ts';
import { PatientWorker } from './patientWorker.ts';
import { tellOfFailing, tellOfRuns } from './job/tell.ts';
import { setClock, startUpkeep } from './upkeep.ts';
import { watchTargets } from './watchTargets.ts';

/** A worker that dies is noticed once its lock has run out and the next check has come: 11 s at most. */
const LOCK_MS = 8_000;
const STALLED_CHECK_MS = 3_000;
/** How many workers may die under one run before it counts as failed. BullMQ never resets the count, so it is high. */
const MOST_DEATHS = 20;
/** Whoever leaves waits no longer than this for a queue that does not answer: the run it can't hand back is taken over. */
const LEAVE_MS = 3_000;

/** Something that runs until it is closed. */
export interface Running {
  close(): Promise<void>;
}

export interface WorkerParts {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** That of the queue, for all parts of the process. */
  readonly outage: Outage;
  /** Told of every run that ended here for good: its report, or `null` and the target when it failed. */
  readonly onEnded?: (report: Report | null, target: string) => void;
}

/** Logs when the queue is lost, and when it is back. */
export function watchQueue(outage: Outage): QueueWatch {
  return {
    onError: (error) => outage.failed(new Error(sentenceOf(explainRefusal(error)), { cause: error })),
    onReady: () => outage.restored(),
  };
}

/**
 * BullMQ ends the blocking connection and waits for its end, which ioredis does not tell of before that connection has come
 * back or been given up.
 */
async function closeWorker(worker: Worker): Promise<void> {
  const blocking = await worker.backend.blockingClient;
  if (blocking && !['ready', 'end'].includes(blocking.status)) {
    await new Promise<unknown>((resolve) => blocking.once('ready', resolve).once('end', resolve));
  }
  await worker.close();
}

/** Ends the connection on which a worker waits for jobs, whatever it waits for. */
async function endBlocking(worker: Worker): Promise<void> {
  (await worker.backend.blockingClient)?.disconnect();
}

/** Fails (`UNREACHABLE`) where the queue's Redis lacks what a worker waits for: that would pass for an outage, for ever. */
async function expectUsable(queues: Queues): Promise<void> {
  const why = await whyNoQueue(queues.connection, queues.prefix);
  if (why === null) return;
  await queues.close();
  throw new Failure('UNREACHABLE', why);
}

/** Starts a worker. Fails (`UNREACHABLE`) when the queue's Redis is not there, or can hold no queue; afterwards it outlasts outages. */
export async function startWorker({ config, metrics, logger, outage, onEnded }: WorkerParts): Promise<Running> {
  const stopping = new AbortController();
  // Each target's watch waits for it, and there may be many.
  setMaxListeners(0, stopping.signal);
  const watch = { ...watchQueue(outage), leaving: stopping.signal };
  const queues = await openQueues(config.queue, watch);
  await expectUsable(queues);
  const connection = await connectQueue(config.queue, watch, true);
  await setClock({ queues, logger });
  await tellOfFailing(queues, config.targets.keys(), logger);
  const self = { id: randomUUID(), by: `${hostname()}:${process.pid}` };
  const [first] = config.targets.values();
  const kept = first?.history;
  const options = {
    connection,
    prefix: queues.prefix,
    name: self.by,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MOST_DEATHS,
  };

  /** The target that data from a queue is about. Anything can stand there, and not all of it can be shown or counted. */
  const targetIn = (data: { readonly target?: unknown } | undefined): string | null => {
    const target = data?.target;
    return typeof target === 'string' && config.targets.has(target) ? target : null;
  };
  const ledger = new Ledger(queues.connection, queues.prefix, config.process.ledger);
  const clean = createCleaner({ config, queues, ledger, metrics, logger, stopping: stopping.signal, lockMs: LOCK_MS });
  const work = async (job: Job<RunData, Report>, token = '', signal?: AbortSignal): Promise<Report> => {
    await enterLane(job, token, config.targets);
    return await clean(job, token, signal);
  };
  const runs = new PatientWorker<RunData, Report>(RUN_QUEUE, work, {
    ...options,
    ...queueTracing(),
    concurrency: config.process.concurrency,
    // For jobs that other programs add without saying how long they are to be kept.
    ...(kept && {
      removeOnComplete: { age: Math.ceil(kept.completed.ageMs / 1000), count: kept.completed.count },
      removeOnFail: { age: Math.ceil(kept.failed.ageMs / 1000), count: kept.failed.count },
    }),
  });
  const ticks = new PatientWorker<TickData>(
    SCHEDULE_QUEUE,
    async (tick) => {
      try {
        return await runOfTick(queues, config.targets, tick.data);
      } catch (error) {
        throw error instanceof Failure && error.code === 'JOB_DATA' ? new UnrecoverableError(error.message) : error;
      }
    },
    options,
  );

  for (const worker of [runs, ticks]) worker.on('error', watch.onError);
  runs.on('lockRenewalFailed', (ids) => {
    for (const id of ids) runs.cancelJob(id, 'its lock was lost');
  });
  tellOfRuns(runs, queues, logger, targetIn);
  const cameBack = (job: Job<RunData, Report>): boolean => (sealedIn(job.progress)?.backAt ?? null) !== null;
  const notices = notifyOfRuns(runs, { config, ledger, logger }, (job) => !cameBack(job));
  runs.on('completed', (job, report) => {
    if (!cameBack(job)) onEnded?.(report, report.target);
  });
  runs.on('failed', (job) => {
    if (job?.finishedOn !== undefined && !cameBack(job)) onEnded?.(null, targetIn(job.data) ?? 'unknown');
  });
  const meant = meantBy(config.targets);
  const targetsWatched = watchTargets({ config, ledger, logger, stopping: stopping.signal });
  await startUpkeep({ config, queues, outage, logger, stopping: stopping.signal, self, meant });
  const takeLeave = async (): Promise<void> => {
    // Nobody waits for a queue that does not answer: whoever says nothing is soon taken for gone.
    const words = Promise.allSettled([announce(queues, self, meant, true), targetsWatched.leave()]);
    await Promise.race([words, pause(LEAVE_MS, undefined, { ref: false })]);
  };
  logger.info({ targets: [...config.targets.keys()], concurrency: config.process.concurrency }, 'worker started');

  return {
    close: async () => {
      stopping.abort();
      const late = setTimeout(() => {
        for (const redis of [connection, queues.connection]) redis.disconnect();
        for (const worker of [runs, ticks]) void endBlocking(worker).catch(() => {});
      }, LEAVE_MS);
      await Promise.allSettled([closeWorker(runs), closeWorker(ticks), takeLeave()]);
      await notices.close();
      clearTimeout(late);
      leaveLanes(config.targets);
      await queues.close();
      connection.disconnect();
      logger.info('worker stopped');
    },
  };
}
