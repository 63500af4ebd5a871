/** swarm: coordinators that live as real ones do, and an auditor who at every moment knows which of them are active.
 *
 * Everything a coordinator does is one step in Redis that also tells what was there just before: its heartbeat and how many
 * of its keys. Since its keys fit one call, it is at every moment either whole or gone; and gone only if it was silent before.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { belongingsOf, heartbeatOf } from '../support/world.ts';
import type { Random } from './random.ts';

/** How silent a stale coordinator is, in seconds. */
const SILENT_SECONDS = 3_600;

/**
 * KEYS     a coordinator's keys, its heartbeat first
 * ARGV     1: what it does, 2: its letter to somebody who never dies, or nothing, 3: for how long it was silent, in seconds
 * RETURNS  what was there before: { heartbeats, keys, letters, the server's time in seconds }
 */
const STEP = `
local seen = { redis.call('EXISTS', KEYS[1]), redis.call('EXISTS', unpack(KEYS)),
  ARGV[2] == '' and 1 or redis.call('EXISTS', ARGV[2]) }
local now = tonumber(redis.call('TIME')[1])
seen[4] = now
local function beat(at)
  redis.call('SET', KEYS[1], string.format('{"coordinatorId":"c","timestamp":%.0f}', at * 1000))
end
if ARGV[1] == 'beat' then
  if seen[1] == 0 then
    redis.call('INCR', 'audit:created')
    for i = 2, #KEYS do redis.call('SET', KEYS[i], '1') end
    if ARGV[2] ~= '' then redis.call('SET', ARGV[2], '1') end
  end
  beat(now)
elseif ARGV[1] == 'fall silent' and seen[1] == 1 then
  beat(now - tonumber(ARGV[3]))
end
return seen`;

/** Outside every key schema: how many coordinators were ever created, counted in the same step. */
export const CREATED = 'audit:created';

/** Nothing was done. */
const REFUSED = /^(READONLY|OOM|MISCONF|LOADING)/;

/** `still`: nobody beats. `calm`: everyone who is not silent does. `wild`: some also die, revive, and are born. */
type Mood = 'still' | 'calm' | 'wild';

/** What a step returns. */
type Seen = readonly [heartbeats: number, keys: number, letters: number, now: number];

type Deed = 'look' | 'beat' | 'fall silent';
export type SchemaName = 'swarm' | 'flat';

/** `unsure`: the answer to what it did last never came. */
type State = 'unborn' | 'active' | 'silent' | 'gone' | 'unsure';

interface Coordinator {
  readonly id: string;
  readonly keys: readonly string[];
  readonly letter: string;
  hasLetter: boolean;
  /** One who never falls silent, and to whom letters are written. */
  readonly anchor: boolean;
  state: State;
  /** When it beat last, in seconds since the epoch. */
  beatAt: number;
  /** How many runs had ended when its keys were written. */
  createdAfter: number;
}

/** With a threshold as long as this, nobody is late where beats come further apart. */
const LEISURE_SECONDS = 60;

const SWARMS = 3;
const ANCHORS = 5;
const LETTER_EVERY = 10;

function keysOf(schema: SchemaName, number: number): string[] {
  const id = `c${number}`;
  const swarm = `s${number % SWARMS}`;
  if (schema === 'swarm') return [heartbeatOf(id, swarm), ...belongingsOf(id, swarm)];
  const shared = belongingsOf(id).filter((key) => !key.startsWith('swarm:'));
  return [`blocking:heartbeat:${id}`, ...shared, `coordinator:activity:${id}`, `blocking:state:${id}`];
}

/** How many of a coordinator's keys a family holds; the same in both schemas. */
export const KEYS_PER_FAMILY = { heartbeat: 1, signal: 1, ack: 2, idempotency: 1, activity: 1, state: 1 } as const;
export const KEYS_EACH = 7;

/** A connection that knows the step. */
type Stepping = Redis & { step(keys: number, ...args: (string | number)[]): Promise<unknown> };

export class Swarm {
  readonly #redis: Stepping;
  readonly #all: Coordinator[] = [];
  #runsEnded = 0;
  #living: Promise<void> = Promise.resolve();
  #over = new AbortController();
  #wrong: Error | undefined;
  #mood: Mood = 'calm';
  #round = 0;
  /** Whether somebody to whom letters are written was silent for too long: on a busy machine a beat may come late. */
  #anchorsLate = false;
  /** Since when it was possible to beat, in seconds since the epoch: before that, silence means nothing (P10). */
  #upSince = Number.NEGATIVE_INFINITY;
  #next = 0;
  /** How many steps were seen, and how many of each kind of event, so that a test can tell that something happened. */
  readonly seen = { steps: 0, beats: 0, deaths: 0, revived: 0, reborn: 0, born: 0 };

  constructor(
    url: string,
    private readonly random: Random,
    private readonly schema: SchemaName = 'swarm',
    /** Who has been silent for less is active, by the server's own rule. */
    private readonly staleAfterSeconds = 600,
  ) {
    this.#redis = new Redis(url, {
      connectionName: 'fixture',
      // What was under way when the server went may or may not have happened: it is looked at, not sent, again.
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
    }) as Stepping;
    this.#redis.on('error', () => {});
    // Sent by its name: thousands a second.
    this.#redis.defineCommand('step', { lua: STEP });
  }

  /** Writes the first coordinators, so many of them silent. */
  async found(coordinators: number, silent: number): Promise<void> {
    const founders = Array.from({ length: coordinators }, () => this.#conceive());
    await this.#do('beat', founders);
    for (const founder of founders) founder.createdAfter = Number.NEGATIVE_INFINITY;
    await this.#do('fall silent', founders.filter(({ anchor }) => !anchor).slice(0, silent));
  }

  /** Coordinators live, and the auditor looks, until `rest`. */
  live(): void {
    this.#living = this.#live(this.#over.signal);
    this.#living.catch((error: Error) => {
      this.#wrong = error;
    });
  }

  /** Throws what the auditor has found wrong so far. */
  expectWell(): void {
    if (this.#wrong) throw this.#wrong;
  }

  /** How everyone lives from now on. */
  be(mood: Mood): void {
    this.#mood = mood;
  }

  /** Ends what `live` began; throws what the auditor has found wrong. */
  async rest(): Promise<void> {
    this.#over.abort();
    await this.#living;
  }

  /** To be told whenever a run has ended. */
  runEnded(): void {
    this.#runsEnded++;
  }

  /** Looks at everyone. */
  async audit(): Promise<void> {
    await this.#do('look', this.#all);
  }

  /** The server is about to go, with all it holds: from now on nobody beats, and nobody who beat a moment ago may lose anything. */
  async brace(): Promise<void> {
    this.#mood = 'still';
    // What is under way comes to its end.
    for (const round = this.#round; this.#round < round + 2; await pause(5)) this.expectWell();
    // On a busy machine somebody may have been late, and gone already without being looked at since.
    await this.#do('beat', this.#in('active', 'unsure'));
    // A run may still sweep these.
    for (const coordinator of this.#in('silent')) coordinator.state = 'unsure';
    this.#upSince = Number.POSITIVE_INFINITY;
  }

  /** It has come back: silence counts from then (P10). Coordinators beat again once they are told to. */
  async cameBack(): Promise<void> {
    const unsure = this.#in('unsure');
    await this.#do('look', unsure);
    for (const coordinator of unsure) if (coordinator.state === 'unsure') coordinator.state = 'silent';
    const up = /uptime_in_seconds:(\d+)/.exec(await this.#redis.info('server'))?.[1];
    this.#upSince = Number((await this.#redis.time())[0]) - Number(up);
  }

  /** Every key that must be there and no other: after the last run, when nobody is silent any more. */
  expectedKeys(): string[] {
    const letters = this.#all.filter(({ hasLetter }) => hasLetter).map(({ letter }) => letter);
    const keys = this.#in('active').flatMap((coordinator) => coordinator.keys);
    return [...keys, ...letters, CREATED].sort();
  }

  count(...states: State[]): number {
    return this.#in(...states).length;
  }

  close(): void {
    this.#redis.disconnect();
  }

  #in(...states: State[]): Coordinator[] {
    return this.#all.filter(({ state }) => states.includes(state));
  }

  #conceive(): Coordinator {
    const number = this.#all.length;
    const keys = keysOf(this.schema, number);
    const letter =
      number >= ANCHORS && number % LETTER_EVERY === 0
        ? `blocking:idempotency:c${number}:c${this.random.between(0, ANCHORS - 1)}:update:3:1760000000000`
        : '';
    const created = {
      id: `c${number}`,
      keys,
      letter,
      hasLetter: false,
      anchor: number < ANCHORS,
      state: 'unborn' as const,
      beatAt: 0,
      createdAfter: 0,
    };
    this.#all.push(created);
    return created;
  }

  async #live(over: AbortSignal): Promise<void> {
    const { random } = this;
    while (!over.aborted) {
      await this.#do('look', random.sample(this.#all, 100));
      if (this.#mood !== 'still') await this.#do('beat', this.#inTurn(this.#in('active', 'unsure')));
      if (this.#mood === 'wild') await this.#turn();
      // In the calm nothing is to be met but what goes on: who lost something still lacks it when its turn comes, later.
      const isLeisurely = this.#mood === 'calm' && this.staleAfterSeconds >= LEISURE_SECONDS;
      await (isLeisurely ? random.moment(60, 120) : random.moment(15, 45));
      this.#round++;
    }
  }

  /** The next ones of them, so that everyone's turn comes soon. */
  #inTurn(coordinators: readonly Coordinator[]): Coordinator[] {
    const share = Math.ceil(coordinators.length / 8);
    if (this.#next >= coordinators.length) this.#next = 0;
    this.#next += share;
    return coordinators.slice(this.#next - share, this.#next);
  }

  /** Some die, some revive, some are born. */
  async #turn(): Promise<void> {
    const { random } = this;
    // Keys that appear behind a run's walk are not found by it: nobody falls silent before the next has begun.
    const old = this.#in('active').filter(({ anchor, createdAfter }) => !anchor && createdAfter + 2 <= this.#runsEnded);
    await this.#do('fall silent', random.sample(old, random.between(0, 40)));
    await this.#do('beat', random.sample(this.#in('silent', 'gone'), random.between(0, 20)));
    const born = Array.from({ length: random.between(0, 3) }, () => this.#conceive());
    await this.#do('beat', born);
  }

  async #do(deed: Deed, coordinators: readonly Coordinator[]): Promise<void> {
    if (coordinators.length === 0) return;
    const replies = await Promise.allSettled(
      coordinators.map(({ keys, letter }) => this.#redis.step(keys.length, ...keys, deed, letter, SILENT_SECONDS)),
    );
    for (const [i, coordinator] of coordinators.entries()) {
      const reply = replies[i];
      if (reply?.status === 'fulfilled') this.#learn(coordinator, deed, reply.value as Seen);
      else if (!REFUSED.test(String(reply?.reason.message))) this.#wonder(coordinator, deed);
    }
  }

  /** The answer never came. */
  #wonder(coordinator: Coordinator, deed: Deed): void {
    // Who was active is, with one beat more or less.
    if (deed === 'look' || (deed === 'beat' && coordinator.state === 'active')) return;
    coordinator.state = 'unsure';
    if (deed === 'beat') coordinator.createdAfter = this.#runsEnded;
  }

  /** For how long it has been silent at least, by the server's own rule, in seconds. */
  #silence({ state, beatAt }: Coordinator, now: number): number {
    const since = state === 'silent' ? Number.NEGATIVE_INFINITY : beatAt;
    return now - Math.max(since, this.#upSince);
  }

  /** What was there just before the deed, against what must have been. */
  #learn(coordinator: Coordinator, deed: Deed, [heartbeats, keys, letters, now]: Seen): void {
    const { id, state, letter, anchor } = coordinator;
    const { seen } = this;
    seen.steps++;
    const whole = heartbeats === 1 && keys === KEYS_EACH;
    const none = keys === 0;
    const found = `${keys} of ${KEYS_EACH} keys, ${heartbeats === 1 ? 'with' : 'without'} its heartbeat`;
    if (!whole && !none) throw new Error(`coordinator ${id}, ${state}, was torn: it had ${found} (P1, P3)`);
    if (none && (state === 'active' || state === 'silent')) {
      const silence = this.#silence(coordinator, now);
      if (silence < this.staleAfterSeconds)
        throw new Error(`${id}, ${state} for ${silence} s, lost everything (P1, P10)`);
      coordinator.state = 'gone';
    }
    if (whole && state === 'gone') throw new Error(`coordinator ${id} was gone and had ${found}`);
    if (anchor && state !== 'unborn' && this.#silence(coordinator, now) >= this.staleAfterSeconds)
      this.#anchorsLate = true;
    if (coordinator.hasLetter && letters === 0 && !this.#anchorsLate) {
      throw new Error(`a letter of ${id} to an active coordinator was lost (P2)`);
    }
    coordinator.hasLetter = letter !== '' && (letters === 1 || (deed === 'beat' && none));
    // A server that came back with the data of an earlier moment may never have heard of it.
    if (none && state === 'unsure') coordinator.state = letters === 0 ? 'unborn' : 'gone';
    if (deed === 'beat') {
      if (none) coordinator.createdAfter = this.#runsEnded;
      if (state === 'unborn') seen.born++;
      else if (none) seen.reborn++;
      else if (state === 'silent') seen.revived++;
      else seen.beats++;
      coordinator.state = 'active';
      coordinator.beatAt = now;
    } else if (deed === 'fall silent') {
      coordinator.state = whole ? 'silent' : 'gone';
      seen.deaths++;
    }
  }
}
