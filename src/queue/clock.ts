/** clock: the time of the queue's Redis. BullMQ stamps, delays and starts jobs by the clock of the process that asks: a
 * worker whose clock is hours off would start everybody's runs hours early, or put the next ones hours away. So whoever works
 * on the queue goes by the queue's clock.
 *
 * It is set for the whole process, since BullMQ takes no clock: only a job's own `timestamp` can be given. What a worker takes,
 * delays, retries and finishes, and when schedules are due next, it counts from `Date.now()`, in two dozen places of six classes,
 * and hands that to its scripts as their time. Nothing else here needs the machine's own clock: durations are measured by
 * `performance.now()`, and what is stale is judged by the target's (P5). */
import type { Redis } from 'ioredis';

const ownClock = Date.now;

/** What an answer that took its time may be wrong by. A clock that is moved for less would only jump to and fro. */
const TOLERANCE_MS = 200;

/** Between what the queue's clock says and what `performance.now` says, which nobody can set. */
let offsetMs: number | undefined;

/**
 * Makes `Date.now` of this process tell the time of the queue's Redis, and go on by itself until it is asked again.
 * Resolves to how far this machine's own clock is ahead, in ms; behind is negative. Where the queue may not be asked, all
 * stays as it is.
 */
export async function followClock(redis: Redis): Promise<number> {
  const askedAt = performance.now();
  const time = await redis.time().catch(() => null);
  if (time === null) return 0;
  const [seconds, microseconds] = time;
  const answeredAt = performance.now();
  const told = Number(seconds) * 1000 + Number(microseconds) / 1000 - (askedAt + answeredAt) / 2;
  const offBy = offsetMs === undefined ? Number.POSITIVE_INFINITY : Math.abs(told - offsetMs);
  if (offBy > TOLERANCE_MS + answeredAt - askedAt) {
    offsetMs = told;
    Date.now = () => Math.floor(told + performance.now());
  }
  return ownClock() - Date.now();
}
