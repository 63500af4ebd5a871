/** schedules: one a target. The configuration is their one source: `declare` brings the queue in line with it, as
 * often as it is called and by as many processes as run, whatever was lost or edited there. It touches no schedule of
 * another deployment: whose a schedule is stands in its template, and beside whom it was declared in a hash. */
import type { JobSchedulerJson } from 'bullmq';
import { createHash } from 'node:crypto';
import { fingerprintOf, samePlace } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { isWorkedOn, type Member, readMembers } from '../members.ts';
import { schedulerIdOf } from '../names.ts';
import { SCORES_PER_MS } from '../runs/putOff.ts';
import type { Queues, TickData } from '../queues.ts';
import { placesOf } from './places.ts';

/** A tick is done in a moment; a few stay for whoever wonders why nothing ran. */
const TICKS_KEPT = 20;
/** A pending tick that is due so much later than its schedule says was moved by somebody. */
const MOVED_MS = 1_000;

/** A tick in one of these states will come, however late: one that workers which were away have missed is caught up. */
const PENDING: readonly string[] = ['delayed', 'waiting', 'active', 'prioritized'];

type Scheduler = JobSchedulerJson<TickData>;
type Targets = ReadonlyMap<string, TargetConfig>;

function besideKeyOf({ prefix }: Queues): string {
  return `${prefix}:declared`;
}

/** The place in its interval that a target draws, in ms from the interval's start: always the same, and never 0. */
function drawnIn(every: number, target: TargetConfig): number {
  const hash = createHash('sha256')
    .update(`${target.name} ${fingerprintOf(target)}`)
    .digest()
    .readUInt32BE();
  return 1 + Math.floor((hash / 2 ** 32) * (every - 1));
}

/** The place of a schedule in this interval; `null` where it has another one, or none. */
function placeIn(every: number, scheduler: Scheduler | undefined): number | null {
  return scheduler !== undefined &&
    !scheduler.pattern &&
    Number(scheduler.every) === every &&
    scheduler.offset !== undefined
    ? Number(scheduler.offset)
    : null;
}

/** Timing as BullMQ takes it, by target. Those that share an interval are spread over it; a first one that is alone begins at once. */
function timingsOf(targets: Targets, known: readonly Scheduler[]): ReadonlyMap<string, Wanted> {
  const timings = new Map<string, Wanted>();
  const sharing = new Map<number, TargetConfig[]>();
  for (const target of targets.values()) {
    const { name, cron, tz, every } = target;
    if (cron === undefined) sharing.set(every, [...(sharing.get(every) ?? []), target]);
    else timings.set(name, { pattern: cron, ...(tz === undefined ? {} : { tz }) });
  }
  for (const [every, together] of sharing) {
    const schedulers = together.map((target) => scheduleOf(known, target));
    const residents = together.map((target, i) => ({
      name: target.name,
      drawn: drawnIn(every, target),
      stands: placeIn(every, schedulers[i]),
    }));
    const taken = known.flatMap((one) => (schedulers.includes(one) ? [] : (placeIn(every, one) ?? [])));
    const isFirst = residents.length === 1 && residents[0]?.stands === null;
    const places = isFirst ? new Map<string, number>() : placesOf(every, residents, taken);
    for (const { name } of together) {
      const offset = places.get(name);
      timings.set(name, { every, ...(offset === undefined ? {} : { offset }) });
    }
  }
  return timings;
}
type Wanted = { every?: number; offset?: number; pattern?: string; tz?: string };

/** Whether a schedule is for the same Redis as a target of that name. Those of older versions do not say. */
function isFor(scheduler: Scheduler, target: TargetConfig): boolean {
  const data = scheduler.template?.data;
  return data?.target === target.name && samePlace(data.fingerprint ?? fingerprintOf(target), fingerprintOf(target));
}

/** A target's schedule among these; another deployment may have the usual id for another Redis of the same name. */
export function scheduleOf(known: readonly Scheduler[], target: TargetConfig): Scheduler | undefined {
  // Asked for each of hundreds of targets among as many schedules, every few seconds: a fingerprint costs much more than comparing it.
  const [id, ownId] = [schedulerIdOf(target.name), ownIdOf(target)];
  return known.find(({ key }) => key === ownId) ?? known.find((one) => one.key === id && isFor(one, target));
}

/** The id of a schedule whose usual one is taken. */
function ownIdOf(target: TargetConfig): string {
  return `${schedulerIdOf(target.name)}@${fingerprintOf(target).split('-')[0]}`;
}

function hasTiming(scheduler: Scheduler, wanted: Wanted): boolean {
  if (scheduler.limit || scheduler.startDate || scheduler.endDate) return false;
  if (wanted.pattern !== undefined)
    return scheduler.pattern === wanted.pattern && (scheduler.tz ?? undefined) === wanted.tz;
  const { every, next = 0 } = scheduler;
  if (scheduler.pattern || Number(every) !== wanted.every || next > Date.now() + Number(every) + MOVED_MS) return false;
  return wanted.offset === undefined || Number(scheduler.offset) === wanted.offset;
}

function isAsWanted(scheduler: Scheduler, target: TargetConfig, wanted: Wanted): boolean {
  return (
    hasTiming(scheduler, wanted) &&
    isFor(scheduler, target) &&
    scheduler.template?.data?.fingerprint === fingerprintOf(target)
  );
}

/** Whether the next tick of a schedule is in the queue. BullMQ makes the one after it when it begins: once one is lost,
 * none would ever come. One that somebody put off, or made another one's, is put right. */
async function isPending({ schedule, connection }: Queues, { key, next, template }: Scheduler): Promise<boolean> {
  const id = `repeat:${key}:${next}`;
  const state = await schedule.getJobState(id);
  if (!PENDING.includes(state)) return false;
  const tick = await schedule.getJob(id);
  if (!tick) return false;
  const { target, fingerprint } = tick.data ?? {};
  const wanted = template?.data;
  if (wanted && (target !== wanted.target || fingerprint !== wanted.fingerprint)) await tick.updateData(wanted);
  if (state !== 'delayed') return true;
  const score = Number(await connection.zscore(schedule.toKey('delayed'), id));
  if (Math.floor(score / SCORES_PER_MS) > Number(next) + MOVED_MS) {
    await tick.changeDelay(Math.max(0, Number(next) - Date.now()));
  }
  return true;
}

/** Whether a schedule is of this deployment, and of a target that its configuration no longer has: it was declared beside
 * most of the present ones, since some may be new, and nobody who still has it is at work. */
function isLeftBehind(scheduler: Scheduler, beside: string | undefined, targets: Targets, members: readonly Member[]) {
  const data = scheduler.template?.data;
  if (data?.fingerprint === undefined || beside === undefined || targets.has(data.target)) return false;
  const declared = new Set(beside.split(' '));
  const known = [...targets.values()].filter((target) => declared.has(`${target.name}@${fingerprintOf(target)}`));
  return 2 * known.length > targets.size && !isWorkedOn(members, data.target, data.fingerprint);
}

/**
 * Declares every target's schedule, and removes those of targets that the configuration no longer has. `lostOnly`: puts back
 * what is missing, and lets be what a process that is configured differently has declared.
 */
export async function declareSchedules(queues: Queues, targets: Targets, lostOnly = false): Promise<void> {
  const { schedule, connection } = queues;
  const all = await schedule.getJobSchedulers();
  const besides = lostOnly ? {} : await connection.hgetall(besideKeyOf(queues));
  const gone = new Set<string>();
  if (!lostOnly) {
    const members = await readMembers(queues);
    for (const scheduler of all) {
      if (!isLeftBehind(scheduler, besides[scheduler.key], targets, members)) continue;
      await schedule.removeJobScheduler(scheduler.key);
      await connection.hdel(besideKeyOf(queues), scheduler.key);
      gone.add(scheduler.key);
    }
  }
  const known = all.filter(({ key }) => !gone.has(key));
  const beside = [...targets.values()].map((target) => `${target.name}@${fingerprintOf(target)}`).join(' ');
  const timings = timingsOf(targets, known);
  // In an order of their own: who sees a part of what another process declares comes to the same places for the rest.
  for (const name of [...targets.keys()].sort()) {
    const target = targets.get(name);
    const wanted = timings.get(name);
    if (target === undefined || wanted === undefined) continue;
    const scheduler = scheduleOf(known, target);
    const stays = scheduler !== undefined && (lostOnly || isAsWanted(scheduler, target, wanted));
    if (stays && (await isPending(queues, scheduler))) {
      // Beside whom it stands now, it may be left behind by.
      if (!lostOnly && besides[scheduler.key] !== beside) {
        await connection.hset(besideKeyOf(queues), scheduler.key, beside);
      }
      continue;
    }
    const isTaken = known.some(({ key }) => key === schedulerIdOf(target.name));
    const id = scheduler?.key ?? (isTaken ? ownIdOf(target) : schedulerIdOf(target.name));
    // BullMQ keeps the next tick's time when only its place in the interval changes, or a limit.
    if (scheduler !== undefined && !stays) await schedule.removeJobScheduler(id);
    await schedule.upsertJobScheduler(id, wanted, {
      name: 'tick',
      data: { target: target.name, fingerprint: fingerprintOf(target) },
      opts: { removeOnComplete: { count: TICKS_KEPT }, removeOnFail: { count: TICKS_KEPT } },
    });
    await connection.hset(besideKeyOf(queues), id, beside);
  }
}
