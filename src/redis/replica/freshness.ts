/** freshness: that a replica shows what its primary held a moment ago, proved anew all the time.
 *
 *      primary: how far are you? (INFO, TIME) ──▶ replica: are you as far? (INFO, TIME) ──▶ what it shows is as old as the question
 *
 *  Owns      the proof, for how long it holds, and waiting for a replica that is behind.
 *  Leaves    asking before each call, and looking again after it, to copyCalls.
 *  Promises  who had a heartbeat at the primary when the question was asked has one at the replica, unless it was to expire within
 *            seconds: a replica hides what has expired by its own clock, also when the word that it was prolonged is still on its way.
 *            So what is shown must be young, not only complete.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { type Info, infoIn } from '../target/clock.ts';
import type { Calls } from '../call/calls.ts';
import type { Original } from './original.ts';
import { isAttached, offsetIn, unfitIn } from './standing.ts';

/** What is shown may be so old. */
const MOST_BEHIND_MS = 2_000;
/** From then on the primary is asked again, before the next call. */
const RENEWED_AFTER_MS = 1_000;
/** A replica whose clock goes further ahead hides heartbeats that live. */
const MOST_AHEAD_MS = 1_000;
/** A replica that is behind is asked so often. */
const LEAST_PAUSE_MS = 10;
const MOST_PAUSE_MS = 200;
/** As soon as that takes so long, it is said. */
const SAID_AFTER_MS = 1_000;

export interface FreshnessParts {
  readonly original: Original;
  /** The replica itself. */
  readonly copy: Calls;
  /** As it goes on after "the replica at". */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly warn: (sentence: string) => void;
}

interface Asked {
  readonly at: number;
  readonly offset: number;
  readonly clockMs: number;
}

export class Freshness {
  /** When the primary was asked, by `performance.now()`, of what the replica has since been seen to show. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #renewing: Promise<void> | null = null;
  /** Which history the primary has. */
  #replid: string | null = null;

  /** @param mostWaitMs how long a replica may take to catch up */
  constructor(
    private readonly parts: FreshnessParts,
    public mostWaitMs: number,
  ) {}

  /** Whether what was read just now was young enough. */
  get holds(): boolean {
    return performance.now() - this.#askedAt <= MOST_BEHIND_MS;
  }

  /** Before something is read: asks anew where the last answer is not of this moment any more. */
  async ensure(): Promise<void> {
    while (performance.now() - this.#askedAt > RENEWED_AFTER_MS) await this.#renewOnce();
  }

  /** From here on everything is shown that the primary holds now. Fails as `confirm` does, or where the replica does not catch up. */
  async renew(): Promise<void> {
    await this.#renewing?.catch(() => {});
    await this.#renewOnce();
  }

  /**
   * After something was read: whether the replica still heard its primary then. Fails (`UNREACHABLE`) where it shows something else than
   * what that one holds.
   */
  confirm(info: Info): boolean {
    const unfit = unfitIn(info, this.#replid ?? '');
    if (unfit !== null) throw new Failure('UNREACHABLE', `${this.#name} ${unfit}: who lives can not be told from it`);
    return isAttached(info);
  }

  /** Asks anew at the next call. */
  expire(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  get #name(): string {
    return `the replica at ${this.parts.name}`;
  }

  async #renewOnce(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    await this.#renewing;
  }

  async #renew(): Promise<void> {
    const startedAt = performance.now();
    for (let said = false; ; ) {
      const asked = await this.#askOriginal();
      const behind = await this.#catchUp(asked, (bytes) => {
        if (!said && performance.now() - startedAt > SAID_AFTER_MS) {
          this.parts.warn(`waiting for ${this.#name}, which ${bytes === null ? 'has lost' : 'is behind'} its primary`);
          said = true;
        }
        return performance.now() - startedAt < this.mostWaitMs;
      });
      if (behind === 'caught up') {
        this.#askedAt = asked.at;
        // One that took long shows what was long ago: then only a later question helps.
        if (performance.now() - asked.at <= RENEWED_AFTER_MS) return;
        if (performance.now() - startedAt < this.mostWaitMs) continue;
      }
      this.expire();
      const seconds = Math.max(1, Math.round((performance.now() - asked.at) / 1000));
      const why = behind === 'lost' ? 'has lost its primary' : `is ${seconds} s or more behind its primary`;
      throw new Failure('UNREACHABLE', `${this.#name} ${why}: who lives can not be told from it`);
    }
  }

  async #askOriginal(): Promise<Asked> {
    const { calls, steadily } = this.parts.original;
    return await steadily('read', async () => {
      const at = performance.now();
      const { info, clockMs } = await standingOf(calls, 'replication');
      if (info.get('role') !== 'master') {
        throw new Failure('UNREACHABLE', `the primary of ${this.#name} is a replica itself, or does not say in INFO`);
      }
      const replid = info.get('master_replid') ?? '';
      this.#replid ??= replid;
      if (replid !== this.#replid) {
        const what = `the primary of ${this.#name} is not the one any more that the run began with`;
        throw new Failure('UNREACHABLE', `${what}: what is stale must be judged anew`);
      }
      return { at, offset: offsetIn(info, 'master_repl_offset', `the primary of ${this.#name}`), clockMs };
    });
  }

  /** @param goesOn told by how many bytes it is behind, `null` while it hears nobody; whether to wait on */
  async #catchUp(
    { at, offset, clockMs }: Asked,
    goesOn: (bytes: number | null) => boolean,
  ): Promise<'caught up' | 'behind' | 'lost'> {
    for (let pauseMs = LEAST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MOST_PAUSE_MS)) {
      const copy = await standingOf(this.parts.copy);
      const isAttachedNow = this.confirm(copy.info);
      const bytes = isAttachedNow ? offset - offsetIn(copy.info, 'slave_repl_offset', this.#name) : null;
      if (bytes !== null && bytes <= 0) {
        this.#insistOnClock(copy.clockMs - clockMs - (performance.now() - at));
        return 'caught up';
      }
      if (!goesOn(bytes)) return bytes === null ? 'lost' : 'behind';
      if (this.parts.signal.aborted) throw new Failure('INTERRUPTED', 'the run was interrupted');
      await pause(pauseMs);
    }
  }

  /** @param aheadMs by how much the replica's clock is ahead, at least */
  #insistOnClock(aheadMs: number): void {
    if (aheadMs <= MOST_AHEAD_MS) return;
    const seconds = Math.round(aheadMs / 1000);
    throw new Failure(
      'DENIED',
      `the clock of ${this.#name} is ${seconds} s ahead of its primary's, so heartbeats with a time to live end there too early; set it right`,
    );
  }
}

/** INFO, all of it or one section, and the clock, in ms, of the same moment. Rejects with the error of Redis. */
async function standingOf(calls: Calls, section?: string): Promise<{ readonly info: Info; readonly clockMs: number }> {
  const { replies } = await calls.sendTogether([
    ['info', section === undefined ? [] : [section]],
    ['time', []],
  ]);
  for (const reply of replies) if (reply instanceof Error) throw reply;
  const [info, time] = replies;
  const [seconds, micros] = time as [string, string];
  return { info: infoIn(String(info)), clockMs: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) };
}
