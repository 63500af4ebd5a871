/** schedule list: the schedules as people are shown them. */
import { mayBeOf } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { isoOf } from '../../domain/instant.ts';
import { schedulerIdOf } from '../names.ts';
import type { Queues } from '../queues.ts';
import { scheduleOf } from './schedules.ts';

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
export async function listSchedules(
  { schedule, runs }: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
): Promise<readonly ScheduleRow[]> {
  const known = await schedule.getJobSchedulers();
  const jobs = (await runs.getJobs(['completed', 'failed', 'active'], 0, LOOK_BACK - 1)).filter(Boolean);
  return [...targets.values()].map((target) => {
    const scheduler = scheduleOf(known, target);
    const id = scheduler?.key ?? schedulerIdOf(target.name);
    const last = jobs
      .filter(({ data }) => data?.target === target.name && mayBeOf(target, data.fingerprint))
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
}
