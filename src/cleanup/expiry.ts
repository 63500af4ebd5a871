/** expiry: whether heartbeats carry a time to live, told from a sample of them (P11). */
import { isRefusal } from '../redis/refusals.ts';
import type { RunContext } from './context.ts';

/** So many of each reading are asked, spread over it, until one is found: where only some expire, that shows, too. */
const SAMPLE = 5;

export class Expiry {
  /** Whether one was seen. */
  seen = false;

  constructor(private readonly run: RunContext) {}

  /** Looks at some of these heartbeats. Where that is not allowed, or not known, they are taken to expire. */
  async look(keys: readonly Buffer[]): Promise<void> {
    if (this.seen) return;
    const { node } = this.run;
    const step = Math.max(1, Math.floor(keys.length / SAMPLE));
    const sample = keys.filter((_, i) => i % step === 0).map((key) => key.toString('latin1'));
    try {
      const answers = await node.steadily('read', () =>
        Promise.all(sample.map((key) => node.calls.send('pttl', [key]))),
      );
      this.seen = answers.some(({ reply }) => Number(reply) > 0);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.seen = true;
    }
  }
}
