/** paces: one pace for each kind of call, since a key costs each of them a different time; all learn from Redis' own time.
 *  Owns      when Redis is asked, and what each kind of call is known by there.
 *  Leaves    what a pace makes of it to pace.
 */
import type { Calls } from '../call/calls.ts';
import { readOwnTime } from './ownTime.ts';
import { Pace } from './pace.ts';

export type Kind = 'scan' | 'read' | 'sweep';

/** The commands of each kind; those inside a script or a transaction are in its own time. */
const COMMANDS: Readonly<Record<Kind, readonly string[]>> = {
  scan: ['scan'],
  read: ['mget', 'exists', 'object|idletime', 'object'],
  sweep: ['evalsha', 'eval', 'watch', 'exec'],
};

/** As long as a size is still found, Redis is asked after each call; then after so many. */
const CALLS_PER_LOOK = 8;
/** A size that changes by less than this share has been found. */
const FOUND = 0.25;

/**
 * With `nice`, a call takes a quarter of its budget: who waits behind one should hardly notice, and half the time given
 * away in pieces as long as the budget would still be felt by every second call of others.
 */
const NICE_SHARE = 1 / 4;

/** How large the next call of each kind may be. */
export interface Sizes {
  readonly scan: Size;
  readonly read: Size;
  readonly sweep: Size;
  /** Tells of a call that handled so much, and of what it took, in ms, as the worker saw it. */
  tell(kind: Kind, amount: number, ms: number): void;
}

/** Of one kind. */
export interface Size {
  /** How many keys the next call may handle. */
  readonly size: number;
  /** Whether it can't become smaller. */
  readonly isLeast: boolean;
  /** More than this no call may handle, by what the server took so far. */
  readonly most: number;
}

/** How a target wants to be treated. */
export interface Manners {
  /** How long to rest after a call, in lengths of that call. */
  readonly nice: number;
  /** How long one call may keep Redis busy, in ms. */
  readonly callBudget: number;
}

/** What was done since Redis was asked. */
interface Since {
  calls: number;
  amount: number;
  waited: number;
  /** So many calls until it is asked again. */
  next: number;
}

export class Paces implements Sizes {
  readonly scan: Pace;
  readonly read: Pace;
  readonly sweep: Pace;
  readonly #calls: Calls;
  readonly #since: Readonly<Record<Kind, Since>>;
  #before: ReadonlyMap<string, number> | null = null;
  #asking = false;

  /** @param mostKeys of a batch */
  constructor(calls: Calls, { callBudget, nice }: Manners, mostKeys: number) {
    const budgetMs = nice > 0 ? callBudget * NICE_SHARE : callBudget;
    const share = Math.min(1, budgetMs / 2);
    const start = (size: number) => Math.ceil(size * share);
    this.#calls = calls;
    // 1,000 slots take Redis about 0.7 ms; more than 8,000 would be too many when empty ones end and full ones begin. 500
    // slots, or 100 keys, take it next to nothing.
    this.scan = new Pace(budgetMs, { start: start(1_000), least: Math.min(500, start(1_000)), most: 8_000 });
    // Values may be large: the first calls show how large.
    this.read = new Pace(budgetMs, { start: 2, least: 1, most: 2_000 });
    this.sweep = new Pace(budgetMs, { start: start(600), least: Math.min(100, start(600)), most: mostKeys });
    const since = (): Since => ({ calls: 0, amount: 0, waited: 0, next: 1 });
    this.#since = { scan: since(), read: since(), sweep: since() };
  }

  /** Takes the first look, from which time is counted; a server that does not say is measured from here. */
  async begin(): Promise<void> {
    this.#before = await readOwnTime(this.#calls);
  }

  /**
   * Tells of a call that handled so much. Now and then Redis is asked what such calls took it.
   * @param ms what it took as the worker saw it: used where Redis does not say
   */
  tell(kind: Kind, amount: number, ms: number): void {
    const since = this.#since[kind];
    since.calls++;
    since.amount += amount;
    since.waited += Math.max(0, ms - this.#calls.latencyMs);
    // Whatever the worker saw, it took Redis no longer.
    this[kind].learnAtMost(amount, ms);
    if (since.calls < since.next || this.#asking) return;
    if (this.#before === null) {
      this.#learn(kind, since.waited);
      return;
    }
    this.#asking = true;
    // Who asks learns what all calls took that were answered before: the answer comes after theirs. A connection that is lost
    // shows with the next call.
    void this.#look()
      .catch(() => {})
      .finally(() => {
        this.#asking = false;
      });
  }

  async #look(): Promise<void> {
    const now = await readOwnTime(this.#calls);
    const before = this.#before;
    if (now === null || before === null) return;
    this.#before = now;
    for (const kind of ['scan', 'read', 'sweep'] as const) {
      const micros = COMMANDS[kind].reduce((sum, name) => sum + (now.get(name) ?? 0) - (before.get(name) ?? 0), 0);
      this.#learn(kind, micros / 1000);
    }
  }

  #learn(kind: Kind, ms: number): void {
    const since = this.#since[kind];
    const pace = this[kind];
    const before = pace.size;
    // Whoever emptied the statistics meanwhile leaves nothing to learn from.
    if (ms > 0) pace.learn(since.amount, ms);
    if (since.calls > 0) since.next = Math.abs(pace.size - before) < before * FOUND ? CALLS_PER_LOOK : 1;
    since.calls = 0;
    since.amount = 0;
    since.waited = 0;
  }
}
