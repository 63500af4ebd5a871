/** day: what scheduled runs take of Redis in a day in which hardly anybody dies, beside runs that look at everybody each time.
 *
 * The day is told as fast as it can be: before each run whoever lives has beaten as it would have by then, seen from now, and what is
 * known of the past is moved to where it lies from there; for a run that will look at a few or nobody only those few have, or nobody. Only
 * what the runs themselves take is counted, connecting included. Full passes are all alike, so of those only every so many are made; who
 * must have been found by when is known from the deaths.
 */
import type { Redis } from 'ioredis';
import { type Horizon, lookFor, type Pass } from '../../src/domain/horizon.ts';
import { targetOf } from '../support/cleanup.ts';
import { startRedis } from '../support/redis.ts';
import { KeptHorizon, runScheduled } from '../support/scheduled.ts';
import { progress } from './say.ts';

export interface DayPlan {
  readonly hours: number;
  readonly coordinators: number;
  /** Keys that are nobody's business here. */
  readonly foreign: number;
  readonly deathsPerHour: number;
  /** Of so many runs one is told as a full pass besides. */
  readonly fullPassOf: number;
  /** Minutes between two runs. */
  readonly every: readonly number[];
}

export interface DayResult extends Omit<DayPlan, 'every'> {
  readonly measuredAt: string;
  readonly schedules: readonly DayOfSchedule[];
}

export interface DayOfSchedule {
  readonly everyMinutes: number;
  readonly deaths: number;
  readonly passes: Readonly<Record<Pass, number>>;
  /** CPU time of Redis' main thread in all runs together: those that look no further than they must; full passes, from those made. */
  readonly cpuMs: { readonly horizon: number; readonly full: number };
}

export const DAY: DayPlan = {
  hours: 24,
  coordinators: 100_000,
  foreign: 1_000_000,
  deathsPerHour: 2,
  fullPassOf: 20,
  every: [1, 5],
};

const BEATS_EVERY_SECONDS = 30;
const STALE_AFTER_SECONDS = 600;
const MEMBERS = 20;
const BATCH = 5_000;
const FOREIGN_VALUE = 'x'.repeat(64);

function swarmOf(n: number): string {
  return `swarm-${Math.floor(n / MEMBERS)}`;
}
function heartbeatOf(n: number): string {
  return `swarm:${swarmOf(n)}:blocking:heartbeat:coordinator-${n}`;
}
function belongingsOf(n: number): string[] {
  return [
    `blocking:signal:coordinator-${n}`,
    `blocking:ack:coordinator-${n}:agent-1`,
    `blocking:ack:coordinator-${n}:agent-2`,
    `blocking:idempotency:coordinator-${n}:coordinator-${n + 1}:completion:1:1`,
    `swarm:${swarmOf(n)}:agent:coordinator-${n}:activity`,
  ];
}

/** What earlier runs know, kept in the day's time. */
class MovedHorizon extends KeptHorizon {
  /** What the day's time is ahead of the server's, in seconds. */
  ahead = 0;

  override async standing(): Promise<Horizon | null> {
    return this.standsNow && movedBy(this.standsNow, -this.ahead);
  }

  override async keep(horizon: Horizon | null): Promise<void> {
    this.standsNow = horizon && movedBy(horizon, this.ahead);
  }
}

function movedBy(horizon: Horizon, seconds: number): Horizon {
  return {
    ...horizon,
    beganSeconds: horizon.beganSeconds + seconds,
    lookedSeconds: horizon.lookedSeconds + seconds,
    restSeconds: horizon.restSeconds + seconds,
    listed: horizon.listed.map((one) => ({ ...one, sinceSeconds: one.sinceSeconds + seconds })),
  };
}

/** CPU time of a server's main thread so far, in ms. */
export async function mainThreadMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const field = (name: string) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? 0);
  return (field('used_cpu_user_main_thread') + field('used_cpu_sys_main_thread')) * 1000;
}

/** Sets keys, so many at a time. */
export async function setAll(redis: Redis, entries: Iterable<readonly string[]>): Promise<void> {
  let pipeline = redis.pipeline();
  for (const entry of entries) {
    pipeline.call('SET', ...entry);
    if (pipeline.length < BATCH) continue;
    await pipeline.exec();
    pipeline = redis.pipeline();
  }
  if (pipeline.length > 0) await pipeline.exec();
}

function* everything({ coordinators, foreign }: DayPlan): Generator<readonly string[]> {
  for (let n = 0; n < foreign; n++) yield [`session:${n}`, FOREIGN_VALUE];
  for (let n = 0; n < coordinators; n++) for (const key of belongingsOf(n)) yield [key, '1'];
}

/** The same numbers for the same plan. */
function numbersOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * When who dies, in seconds of the day: one in so many of them, at any time, each another one. They are of those who would beat some
 * seconds before or after a run, so that it does not hang on a second which run has to find them.
 */
function deathsOf({ hours, deathsPerHour, coordinators }: DayPlan): ReadonlyMap<number, number> {
  const next = numbersOf(1);
  const deaths = new Map<number, number>();
  while (deaths.size < Math.round(hours * deathsPerHour)) {
    const n = Math.floor(next() * coordinators);
    const second = n % BEATS_EVERY_SECONDS;
    if (second >= BEATS_EVERY_SECONDS / 3 && second < (2 * BEATS_EVERY_SECONDS) / 3) {
      deaths.set(n, next() * hours * 3_600);
    }
  }
  return deaths;
}

/** When somebody beat last at this time of the day, in seconds of it. */
function lastBeat(n: number, time: number): number {
  const second = n % BEATS_EVERY_SECONDS;
  return Math.floor((time - second) / BEATS_EVERY_SECONDS) * BEATS_EVERY_SECONDS + second;
}

/** Writes the heartbeats of a range as of now, in the server: to send a hundred thousand takes longer than a run. */
const BEAT = `
local from, to, server, now, members, every = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local dead = {}
for i = 7, #ARGV do dead[tonumber(ARGV[i])] = true end
for n = from, to - 1 do
  if not dead[n] then
    local second = n % every
    local last = math.floor((now - second) / every) * every + second
    local swarm = 'swarm-' .. math.floor(n / members)
    local ms = string.format('%.0f', (server - (now - last)) * 1000)
    redis.call('SET', 'swarm:' .. swarm .. ':blocking:heartbeat:coordinator-' .. n,
      '{"coordinatorId":"coordinator-' .. n .. '","swarmId":"' .. swarm .. '","timestamp":' .. ms .. ',"iteration":1}')
  end
end`;

/** A run may begin so many seconds after what it finds was written, on a busy machine. */
const LATE_SECONDS = 5;

/** Whom a run will look at, by what earlier ones left; `null`: at everybody, or it may come to that. */
function lookedAt(
  stands: Horizon | null,
  deaths: ReadonlyMap<number, number>,
  now: number,
  everyMinutes: number,
): readonly number[] | null {
  const looks = [now, now + LATE_SECONDS].map((nowSeconds) =>
    lookFor(stands, {
      basis: stands?.basis ?? '',
      nowSeconds,
      keys: 0,
      expiring: 0,
      staleAfterSeconds: STALE_AFTER_SECONDS,
      gapSeconds: () => everyMinutes * 60,
      sweepsOrphans: false,
      outage: false,
    }),
  );
  if (looks.some(({ pass }) => pass === 'full')) return null;
  const keys = looks.flatMap((look) =>
    look.pass === 'due' ? look.due.map(({ key }) => Buffer.from(key).toString()) : [],
  );
  const who = keys.map((key) => Number(/(\d+)$/.exec(key)?.[1]));
  return who.some((n) => deaths.has(n)) ? null : who;
}

/**
 * Lets them beat as until this time of the day. Of who is dead the last beat stays where it is seen from now, until it is swept.
 * @param who `null`: everybody
 */
async function beat(
  redis: Redis,
  plan: DayPlan,
  deaths: ReadonlyMap<number, number>,
  now: number,
  who: readonly number[] | null,
): Promise<number> {
  const server = Number((await redis.time())[0]);
  const dead = [...deaths].filter(([, diesAt]) => diesAt <= now);
  const ranges: (readonly [number, number])[] = who?.map((n) => [n, n + 1] as const) ?? [];
  for (let from = 0; who === null && from < plan.coordinators; from += BATCH) {
    ranges.push([from, Math.min(plan.coordinators, from + BATCH)]);
  }
  for (const range of ranges) {
    const numbers = [...range, server, now, MEMBERS, BEATS_EVERY_SECONDS, ...dead.map(([n]) => n)];
    await redis.eval(BEAT, 0, ...numbers);
  }
  const beats = dead.map(([n, diesAt]) => {
    const timestamp = Math.round((server - (now - lastBeat(n, diesAt))) * 1000);
    return [
      heartbeatOf(n),
      JSON.stringify({ coordinatorId: `coordinator-${n}`, swarmId: swarmOf(n), timestamp }),
      'XX',
    ];
  });
  await setAll(redis, beats);
  return server;
}

async function tell(redis: Redis, url: string, plan: DayPlan, everyMinutes: number): Promise<DayOfSchedule> {
  const deaths = deathsOf(plan);
  const passes: Record<Pass, number> = { full: 0, due: 0, none: 0 };
  const cpuMs = { horizon: 0, full: 0 };
  const swept = { horizon: 0, full: 0 };
  const past = { horizon: new MovedHorizon(), full: new MovedHorizon() };
  const runOne = async (way: 'horizon' | 'full', now: number, mustBeSwept: number) => {
    const db = way === 'horizon' ? 1 : 2;
    await redis.select(db);
    const who = way === 'full' ? null : lookedAt(past[way].standsNow, deaths, now, everyMinutes);
    past[way].ahead = now - (await beat(redis, plan, deaths, now, who));
    const settings = { horizon: way === 'horizon', suddenSilence: false, staleAfter: `${STALE_AFTER_SECONDS}s` };
    const target = targetOf(`${url}/${db}`, settings);
    const before = await mainThreadMs(redis);
    const report = await runScheduled({ target, horizons: past[way], gapSeconds: everyMinutes * 60 });
    cpuMs[way] += (await mainThreadMs(redis)) - before;
    swept[way] += report.coordinators.swept;
    if (swept[way] !== mustBeSwept) {
      throw new Error(`after ${now} s ${mustBeSwept} had to be swept, and ${swept[way]} were, by way of ${way}`);
    }
    return report.pass;
  };
  let runs = 0;
  let fullPasses = 0;
  for (let now = 1; now < plan.hours * 3_600; now += everyMinutes * 60) {
    const silent = [...deaths].filter(
      ([n, diesAt]) => diesAt <= now && now - lastBeat(n, diesAt) > STALE_AFTER_SECONDS,
    );
    passes[await runOne('horizon', now, silent.length)]++;
    if (runs++ % plan.fullPassOf !== 0) continue;
    await runOne('full', now, silent.length);
    fullPasses++;
  }
  return {
    everyMinutes,
    deaths: swept.horizon,
    passes,
    cpuMs: { horizon: cpuMs.horizon, full: (cpuMs.full / fullPasses) * runs },
  };
}

/** Measures a day for each schedule. Fails when one finds a death later than full passes do. */
export async function measureDay(plan: DayPlan): Promise<DayResult> {
  const schedules: DayOfSchedule[] = [];
  for (const everyMinutes of plan.every) {
    const server = await startRedis();
    try {
      progress(`day: every ${everyMinutes} min, writing the data`);
      for (const db of [1, 2]) {
        await server.redis.select(db);
        await setAll(server.redis, everything(plan));
      }
      const one = await tell(server.redis, server.url, plan, everyMinutes);
      schedules.push(one);
      progress(`day: every ${everyMinutes} min took ${(one.cpuMs.horizon / one.cpuMs.full).toFixed(3)} of full passes`);
    } finally {
      await server.stop();
    }
  }
  const { every: _, ...shape } = plan;
  return { ...shape, measuredAt: new Date().toISOString(), schedules };
}
