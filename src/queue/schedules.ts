/** schedules: one a target. The configuration is their one source: `declare` brings the queue in line with it, as
 * often as it is called and by as many processes as run, and mends a schedule whose pending job was lost. */
import type { JobSchedulerJson } from 'bullmq';
import type { TargetConfig } from '../config/resolve.ts';
import { isoOf } from '../domain/instant.ts';
import { schedulerIdOf } from './names.ts';
import type { Queues, TickData } from './queues.ts';

/** A tick is done in a moment; a few stay for whoever wonders why nothing ran. */
const TICKS_KEPT = 20;

/** A tick in one of these states will come, however late: one that workers which were away have missed is caught up. */
const PENDING: readonly string[] = ['delayed', 'waiting', 'active', 'prioritized'];

type Scheduler = JobSchedulerJson<TickData>;

const wantedOf = ({ cron, tz, every }: TargetConfig) =>
  cron === undefined ? { every } : { pattern: cron, ...(tz === undefined ? {} : { tz }) };

const isAsWanted = (scheduler: Scheduler, target: TargetConfig): boolean => {
  const sameTiming =
    target.cron === undefined
      ? Number(scheduler.every) === target.every && !scheduler.pattern
      : scheduler.pattern === target.cron && (scheduler.tz ?? undefined) === target.tz;
  return sameTiming && scheduler.template?.data?.target === target.name;
};

/** Whether the next tick of a schedule is in the queue. BullMQ makes the one after it when it begins: once one is lost,
 * none would ever come. */
const isPending = async ({ schedule }: Queues, { key, next }: Scheduler): Promise<boolean> =>
  PENDING.includes(await schedule.getJobState(`repeat:${key}:${next}`));

/**
 * Declares every target's schedule, and removes those of targets that are no longer configured. `lostOnly`: puts back what
 * is missing, and lets be what a process that is configured differently has declared.
 */
export const declareSchedules = async (
  queues: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
  lostOnly = false,
): Promise<void> => {
  const { schedule } = queues;
  const known = await schedule.getJobSchedulers();
  const wanted = new Map([...targets.values()].map((target) => [schedulerIdOf(target.name), target]));
  for (const scheduler of known) {
    if (!lostOnly && !wanted.has(scheduler.key)) await schedule.removeJobScheduler(scheduler.key);
  }
  for (const [id, target] of wanted) {
    const scheduler = known.find(({ key }) => key === id);
    const stays = scheduler !== undefined && (lostOnly || isAsWanted(scheduler, target));
    if (stays && (await isPending(queues, scheduler))) continue;
    await schedule.upsertJobScheduler(id, wantedOf(target), {
      name: 'tick',
      data: { target: target.name },
      opts: { removeOnComplete: { count: TICKS_KEPT }, removeOnFail: { count: TICKS_KEPT } },
    });
  }
};

/** A schedule as the `schedule` command shows it. Exactly one of `everyMs` and `cron` is set. */
export interface ScheduleRow {
  readonly id: string;
  readonly target: string;
  readonly everyMs: number | null;
  readonly cron: string | null;
  readonly tz: string | null;
  /** ISO 8601; `null` until a worker has declared the schedule. */
  readonly nextAt: string | null;
  /** When the last run of the target was asked for, by whomever; `null` when the history has none. */
  readonly lastAt: string | null;
  readonly lastRun: string | null;
}

/** How far back the last run of a target is looked for. */
const LOOK_BACK = 200;

/** The configured schedules, with what the queue knows of them. */
export const listSchedules = async (
  { schedule, runs }: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
): Promise<readonly ScheduleRow[]> => {
  const known = await schedule.getJobSchedulers();
  const jobs = (await runs.getJobs(['completed', 'failed', 'active'], 0, LOOK_BACK - 1)).filter(Boolean);
  return [...targets.values()].map((target) => {
    const id = schedulerIdOf(target.name);
    const scheduler = known.find(({ key }) => key === id);
    const last = jobs
      .filter((job) => job.data?.target === target.name)
      .reduce<(typeof jobs)[number] | undefined>(
        (latest, job) => (latest && latest.timestamp >= job.timestamp ? latest : job),
        undefined,
      );
    return {
      id,
      target: target.name,
      everyMs: scheduler?.pattern
        ? null
        : Number(scheduler?.every ?? (target.cron === undefined ? target.every : 0)) || null,
      cron: scheduler?.pattern ?? (scheduler ? null : (target.cron ?? null)),
      tz: scheduler?.tz ?? (scheduler ? null : (target.tz ?? null)),
      nextAt: scheduler?.next ? isoOf(scheduler.next) : null,
      lastAt: last ? isoOf(last.processedOn ?? last.timestamp) : null,
      lastRun: last?.id ?? null,
    };
  });
};
