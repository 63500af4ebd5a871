/** copyCalls: sends what is read to a replica, and believes an answer only where the replica had caught up and still hears its primary.
 *  Owns      asking again what was answered too late, or while the replica was cut off: its data may be another's until it is back.
 *  Promises  TIME is the primary's (P5).
 */
import { Failure } from '../../domain/failure.ts';
import type { Argument, Order, Reply } from '../call/wire.ts';
import type { Answer, Calls } from '../call/calls.ts';
import { infoIn } from '../target/clock.ts';
import type { Freshness } from './freshness.ts';
import type { Original } from './original.ts';

/** A worker that is held up by other work reads answers late. */
const MOST_TURNS = 20;
const LINK: Order = ['info', ['replication']];

export class CopyCalls implements Calls {
  /** @param copy the replica itself */
  constructor(
    private readonly copy: Calls,
    private readonly original: Original,
    private readonly freshness: Freshness,
  ) {}

  get latencyMs(): number {
    return this.copy.latencyMs;
  }

  get rest(): Calls['rest'] {
    return this.copy.rest;
  }

  get stopwatch(): Calls['stopwatch'] {
    return this.copy.stopwatch;
  }

  async send(name: string, args: readonly Argument[], replyEncoding: 'latin1' | null = 'latin1'): Promise<Answer> {
    const { calls, steadily } = this.original;
    if (name === 'time') return await steadily('read', () => calls.send(name, args, replyEncoding));
    // What a server says of itself.
    if (name === 'info') return await this.copy.send(name, args, replyEncoding);
    return await this.#believed(async () => await this.copy.send(name, args, replyEncoding));
  }

  async sendTogether(
    orders: readonly Order[],
  ): Promise<{ readonly replies: readonly (Reply | Error)[]; readonly ms: number }> {
    return await this.#believed(async () => await this.copy.sendTogether(orders));
  }

  /** What it answers; asked together with whether it still hears its primary. */
  async #believed<T>(read: () => Promise<T>): Promise<T> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await this.freshness.ensure();
      const [answer, link] = await Promise.allSettled([read(), this.copy.send(...LINK)]);
      if (answer.status === 'rejected') throw answer.reason;
      if (link.status === 'rejected') throw link.reason;
      if (this.freshness.confirm(infoIn(String(link.value.reply))) && this.freshness.holds) return answer.value;
      this.freshness.expire();
    }
    throw new Failure('UNREACHABLE', 'what a replica answers comes too late, again and again, to tell who lives');
  }
}
