/** queue state: whether runs that are due can run: what pauses or slows the queues, and who works on them. */
import ms from 'ms';
import type { TargetConfig } from '../config/resolve.ts';
import { readMembers } from '../queue/members.ts';
import type { Queues } from '../queue/queues.ts';
import { scheduleOf } from '../queue/schedules/schedules.ts';
import { Serving } from '../redis/target/serving.ts';
import type { Finding } from './finding.ts';

export interface QueueState {
  /** Why its Redis takes no writes, so that nothing can be asked for, or noted; `null` where it does. */
  readonly refuses: string | null;
  /** By queue: whether nothing is taken from it until somebody resumes it. */
  readonly paused: Readonly<Record<string, boolean>>;
  /** Rate limits that somebody set, by queue. */
  readonly limits: Readonly<Record<string, { readonly max: number; readonly duration: number }>>;
  /** How many jobs somebody lets be done at once, by queue, where anybody said so. */
  readonly atOnce: Readonly<Record<string, number>>;
  /** Processes that take runs now. */
  readonly workers: number;
  /** Targets whose schedule nobody has declared. */
  readonly unscheduled: readonly string[];
}

async function whyNoWrites({ connection }: Queues): Promise<string | null> {
  const serving = new Serving(connection);
  await serving.ask();
  return serving.why?.startsWith('NOPERM') ? null : serving.why;
}

/** Reads it, and writes nothing. Fails with the error of Redis when the queue can't be asked. */
export async function readQueueState(queues: Queues, targets: ReadonlyMap<string, TargetConfig>): Promise<QueueState> {
  const both = [queues.runs, queues.schedule];
  const [refuses, paused, limits, atOnce, members, known] = await Promise.all([
    whyNoWrites(queues),
    Promise.all(both.map((queue) => queue.isPaused())),
    Promise.all(both.map((queue) => queue.getGlobalRateLimit())),
    Promise.all(both.map((queue) => queue.getGlobalConcurrency())),
    readMembers(queues),
    queues.schedule.getJobSchedulers(),
  ]);
  return {
    refuses,
    paused: Object.fromEntries(both.map(({ name }, i) => [name, paused[i] === true])),
    limits: Object.fromEntries(both.flatMap(({ name }, i) => (limits[i] ? [[name, limits[i]]] : []))),
    atOnce: Object.fromEntries(
      both.flatMap(({ name }, i) => (typeof atOnce[i] === 'number' ? [[name, atOnce[i]]] : [])),
    ),
    workers: members.filter(({ isHere }) => isHere).length,
    unscheduled: [...targets.values()].filter((target) => !scheduleOf(known, target)).map(({ name }) => name),
  };
}

/** What keeps runs from coming, a finding each; one that is `ok` where nothing does. */
export function findingsOf({ refuses, paused, limits, atOnce, workers, unscheduled }: QueueState): readonly Finding[] {
  const findings: Finding[] = [];
  if (refuses !== null) {
    const message = `the queue's Redis takes no writes: ${refuses}`;
    const advice =
      'mend that, or point QUEUE_REDIS_URL at a Redis that takes them: no run begins, and none is recorded';
    findings.push({ target: null, check: 'writes', status: 'failed', message, advice });
  }
  const warn = (check: string, message: string, advice: string) => {
    findings.push({ target: null, check, status: 'warning', message, advice });
  };
  for (const [queue, isPaused] of Object.entries(paused)) {
    if (isPaused) warn('pause', `the queue "${queue}" is paused: no run begins`, 'resume it in the dashboard');
  }
  for (const [queue, { max, duration }] of Object.entries(limits)) {
    warn(
      'rate limit',
      `the queue "${queue}" takes no more than ${max} in ${ms(duration)}`,
      'take the limit away in the dashboard, unless it is meant',
    );
  }
  for (const [queue, most] of Object.entries(atOnce)) {
    const what = most > 0 ? `takes no more than ${most} at once` : 'takes none: no run begins';
    warn('concurrency', `the queue "${queue}" ${what}`, 'take that away in the dashboard, unless it is meant');
  }
  // Where nothing can be noted, nobody says that it works.
  if (refuses !== null) return findings;
  if (workers === 0) warn('workers', 'nobody works on the queue: runs wait', 'start one: stalesweep worker');
  else if (unscheduled.length > 0) {
    const names = unscheduled.map((name) => `"${name}"`).join(', ');
    warn('schedules', `no schedule for ${names}`, 'start a worker with this configuration');
  }
  const told = `${workers} ${workers === 1 ? 'worker' : 'workers'}, not paused, no rate limit`;
  return findings.length > 0 ? findings : [{ target: null, check: 'work', status: 'ok', message: told, advice: null }];
}

/** What keeps runs from coming, in sentences; empty when nothing does. */
export function warningsOf(state: QueueState): readonly string[] {
  return findingsOf(state)
    .filter(({ status }) => status !== 'ok')
    .map(({ message }) => message);
}
