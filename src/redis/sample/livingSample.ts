/** livingSample: those of the sample coordinators that are not stale, and how they live: most beat, some are slow, some fall
 * silent now and then, for long enough to be swept, and come back. Part of the demo, and never of a run.
 *
 *      second      0         20        40        60
 *      group 0     ━━━━━━━━━━━━              ━━━━━━━━━━━━          silent for 35 of 60 s
 *      group 1     ━━              ━━━━━━━━━━━━              ━━
 *      slow ones   ╸       ╸       ╸       ╸       ╸       ╸       one of them is always at risk
 */
import type { Redis } from 'ioredis';
import type { KeySchema } from '../../schema/keySchema.ts';
import { type Coordinator, coordinatorOf, nameOf, type Sample, type Thing, thingsOf } from './sample.ts';

/** Beats of one in so many seconds that it is at risk, and yet never stale, where the threshold is 20 s. */
const SLOW = 4;
const SLOW_EVERY_MS = 16_000;
const GROUPS = 3;
const GROUP_SIZE = 4;
const LIFE_MS = 60_000;
/** Silent from here on until the life begins anew: for longer than the threshold and the interval of runs together. */
const SILENT_FROM_MS = 25_000;

/** What became of some of them. */
export interface Turn {
  readonly what: 'fell silent' | 'came back';
  readonly ids: readonly string[];
  readonly swarm: string;
}

/** One that beats what can't be judged, and one that is silent and protected. */
interface Oddities {
  readonly unreadable: string;
  readonly protected: string;
}

/** How long the protected one has been silent. */
const PROTECTED_SILENT_MS = 7_200_000;

export class LivingSample {
  readonly #things: readonly Thing[];
  readonly #silent = new Set<number>();
  readonly #beatAt = new Map<number, number>();
  #startedAt: number | null = null;

  /** @param redis where the sample stands; never closed here */
  constructor(
    private readonly redis: Redis,
    private readonly schema: KeySchema,
    private readonly sample: Sample,
  ) {
    this.#things = thingsOf(schema, sample);
  }

  /** Writes the heartbeats of two that are neither active nor stale, and stay so. Rejects when Redis does not answer. */
  async writeOddities(nowMs: number, { unreadable, protected: kept }: Oddities): Promise<void> {
    const one = coordinatorOf(this.schema, this.sample, nowMs, this.sample.coordinators - 1);
    const [heartbeat] = this.#things;
    if (heartbeat === undefined) return;
    const silent = { ...one, id: kept, beatAt: nowMs - PROTECTED_SILENT_MS };
    // As many write it by mistake.
    const inSeconds = JSON.stringify({ coordinatorId: unreadable, timestamp: Math.floor(nowMs / 1000) });
    await this.redis
      .pipeline()
      .set(keyOf(heartbeat, silent), heartbeat.value(silent))
      .set(keyOf(heartbeat, { ...one, id: unreadable }), inSeconds)
      .exec();
  }

  /**
   * Lets all beat that are to beat at `nowMs`, by Redis' clock; resolves to what became of others. Rejects when Redis does not
   * answer.
   */
  async beat(nowMs: number): Promise<Turn[]> {
    this.#startedAt ??= nowMs;
    const turns: Turn[] = [];
    const pipeline = this.redis.pipeline();
    const { stale, coordinators } = this.sample;
    for (let number = stale; number < coordinators; number++) {
      const nth = number - stale;
      const of = coordinatorOf(this.schema, this.sample, nowMs, number);
      const silent = this.#isSilent(nth, nowMs - this.#startedAt);
      if (silent !== this.#silent.has(nth)) addTurn(turns, silent, of);
      const isBack = !silent && this.#silent.delete(nth);
      if (silent) this.#silent.add(nth);
      else if (isBack) for (const thing of this.#things) write(thing, of);
      else if (this.#isDue(nth, nowMs)) for (const thing of this.#things.filter(isBeat)) write(thing, of);
    }
    function write(thing: Thing, of: Coordinator): void {
      if (thing.ttlMs === null) pipeline.set(keyOf(thing, of), thing.value(of));
      else pipeline.set(keyOf(thing, of), thing.value(of), 'PX', thing.ttlMs);
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    return turns;
  }

  #isSilent(nth: number, sinceStartMs: number): boolean {
    const group = Math.floor((nth - SLOW) / GROUP_SIZE);
    if (group < 0 || group >= GROUPS) return false;
    return (sinceStartMs + (group * LIFE_MS) / GROUPS) % LIFE_MS >= SILENT_FROM_MS;
  }

  #isDue(nth: number, nowMs: number): boolean {
    if (nth >= SLOW) return true;
    const last = this.#beatAt.get(nth) ?? (this.#startedAt ?? nowMs) - (nth * SLOW_EVERY_MS) / SLOW;
    if (nowMs - last < SLOW_EVERY_MS) return false;
    this.#beatAt.set(nth, nowMs);
    return true;
  }

  /** Redis' clock, in ms. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }
}

/** Of the things, those that are written with each beat: they last, and have one name. */
function isBeat({ ttlMs, rest }: Thing): boolean {
  return ttlMs === null && rest === undefined;
}

function keyOf(thing: Thing, of: Coordinator): Buffer {
  return Buffer.from(nameOf(thing, of), 'latin1');
}

function addTurn(turns: Turn[], silent: boolean, { id, swarm }: Coordinator): void {
  const what = silent ? 'fell silent' : 'came back';
  const same = turns.findIndex((turn) => turn.what === what && turn.swarm === swarm);
  const before = turns[same];
  if (before === undefined) turns.push({ what, ids: [id], swarm });
  else turns[same] = { ...before, ids: [...before.ids, id] };
}
