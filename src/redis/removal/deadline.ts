/** deadline: until when a server does what goes by the absence of a heartbeat. Who was absent may have beaten since, and be silent for a
 *  moment, as whose heartbeat expires soon: what a frozen server does late, or a way delivers late, must not take that for the first absence.
 *  Where all goes by the value of a heartbeat it matters not: no beat leaves the same one.
 */
import type { Calls } from '../call/calls.ts';
import { cameTooLate } from '../call/lost.ts';
import { readSeconds } from '../target/clock.ts';

/** As long as an answer is waited for: what comes later is sent again, or is nobody's any more. */
const SECONDS = 15;

export class Deadline {
  /** What the server's clock said as this process' own did; `null`: it was not asked yet. */
  #read: { readonly seconds: number; readonly at: number } | null = null;

  constructor(private readonly calls: Calls) {}

  /** Sends what is to be done until a second of the server's clock; once more, by that clock anew, where it refused that as too late. */
  async inTime<T>(send: (until: number) => Promise<T>): Promise<T> {
    try {
      return await send(await this.#until());
    } catch (error) {
      if (!cameTooLate(error)) throw error;
      this.#read = null;
      return await send(await this.#until());
    }
  }

  async #until(): Promise<number> {
    this.#read ??= { seconds: await readSeconds(this.calls), at: performance.now() };
    const { seconds, at } = this.#read;
    return seconds + Math.floor((performance.now() - at) / 1000) + SECONDS;
  }
}
