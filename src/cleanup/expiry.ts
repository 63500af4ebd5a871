/** expiry: whether heartbeats carry a time to live, told from a sample of them (P11). */
import { refusedCommandIn } from '../redis/permissions.ts';
import type { RunContext } from './context.ts';

/** Of the first heartbeats so many are asked, of the later ones one a call: where only some expire, that shows, too. */
const FIRST_SAMPLE = 20;
const LATER_SAMPLE = 1;

export class Expiry {
  /** Whether one was seen. */
  seen = false;
  #asked = false;

  constructor(private readonly run: RunContext) {}

  /** Looks at some of these heartbeats. Where that is not allowed, they are taken to expire. */
  async look(keys: readonly Buffer[]): Promise<void> {
    if (this.seen) return;
    const sample = keys.slice(0, this.#asked ? LATER_SAMPLE : FIRST_SAMPLE);
    this.#asked = true;
    try {
      const { calls } = this.run;
      const answers = await Promise.all(sample.map((key) => calls.send('pttl', [key.toString('latin1')])));
      this.seen = answers.some(({ reply }) => Number(reply) > 0);
    } catch (error) {
      if (refusedCommandIn(error) === null) throw error;
      this.seen = true;
    }
  }
}
