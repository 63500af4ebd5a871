/** expiry: whether heartbeats carry a time to live, and how long that is, told from a sample of them (P11). */
import { readBeat } from '../../domain/heartbeat.ts';
import { CLOCK_SHARE } from '../../domain/outlook.ts';
import { ABSENT, type Reading } from '../../domain/reading.ts';
import type { Order } from '../../redis/call/wire.ts';
import { isRefusal } from '../../redis/rights/refusals.ts';
import type { RunContext } from '../context.ts';

/**
 * So many are asked, everybody where there are no more: where only some expire, or some sooner, that shows, too. It takes Redis half a
 * millisecond. Then one of each reading has to do: names come in no order, so what so many of them lack is rare.
 */
const MANY = 500;
/** As long as none was found that expires, and the database holds keys that do: they may be heartbeats of a few. A page of them takes Redis a millisecond. */
const MANY_IN_DOUBT = 5_000;

/** One that was asked for: its position, and how long it has to live; less than 0 where it does not expire, or is gone. */
export interface Sampled {
  readonly at: number;
  readonly leftMs: number;
}

export class Expiry {
  /**
   * The shortest time that one lives, in whole seconds, rounded down; `null` while none was seen that expires, 0 where that is not
   * known.
   */
  shortestSeconds: number | null = null;
  #asked = 0;

  constructor(private readonly run: RunContext) {}

  /** Asks how long some of these heartbeats have to live. Where that is not allowed, or not known, they are taken to expire. */
  async sample(keys: readonly Buffer[]): Promise<readonly Sampled[]> {
    if (this.shortestSeconds === 0) return [];
    const { node, expiring } = this.run;
    const many = this.shortestSeconds === null && expiring > 0 ? MANY_IN_DOUBT : MANY;
    const step = Math.max(1, Math.ceil(keys.length / Math.max(1, many - this.#asked)));
    // Each pass asks others: names come in the same order.
    const first = Math.floor(Math.random() * step);
    const sample = [...keys.keys()].filter((i) => i % step === first);
    this.#asked += sample.length;
    try {
      const orders = sample.map((i): Order => ['pttl', [keys[i]?.toString('latin1') ?? '']]);
      const answers = await node.steadily('read', async () => {
        const { replies } = await node.calls.sendTogether(orders);
        for (const reply of replies) if (reply instanceof Error) throw reply;
        return replies;
      });
      return answers.map((reply, nth) => ({ at: sample[nth] ?? 0, leftMs: Number(reply) }));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.shortestSeconds = 0;
      return [];
    }
  }

  /** Takes in what was answered, now that it is known what those heartbeats say. */
  learn(sample: readonly Sampled[], readings: readonly Reading[]): void {
    for (const { at, leftMs } of sample) if (leftMs > 0) this.#note(leftMs, readings[at] ?? ABSENT);
  }

  /** It was written when it says that it beat, or later by what its writer's clock may be behind: rather too short than too long. */
  #note(leftMs: number, reading: Reading): void {
    const { node, staleAfterSeconds } = this.run;
    const beat = Buffer.isBuffer(reading) ? readBeat(reading.toString('latin1')) : null;
    const behindMs = staleAfterSeconds * 1000 * CLOCK_SHARE;
    const ageMs = beat !== null && 'beatAt' in beat ? node.clock.nowSeconds * 1000 - beat.beatAt - behindMs : 0;
    const seconds = Math.floor((leftMs + Math.max(0, ageMs)) / 1000);
    this.shortestSeconds = Math.min(this.shortestSeconds ?? seconds, seconds);
  }
}
