/** random: chance that can be repeated: the same seed brings the same draws. */
import { setTimeout as pause } from 'node:timers/promises';

export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not including, 1. (mulberry32) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.next() * from.length)];
  }

  /** As many of them as asked for, or all, each once. */
  sample<T>(from: readonly T[], amount: number): T[] {
    const left = [...from];
    for (let i = 0; i < Math.min(amount, left.length); i++) {
      const other = this.between(i, left.length - 1);
      [left[i], left[other]] = [left[other] as T, left[i] as T];
    }
    return left.slice(0, amount);
  }

  /** Lets a moment pass: where in its work it meets the others is what a storm tries out. */
  async moment(leastMs: number, mostMs: number): Promise<void> {
    await pause(this.between(leastMs, mostMs));
  }
}
