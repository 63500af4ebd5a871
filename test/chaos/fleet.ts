/** fleet: `stalesweep worker` processes that come and go, and what each of them left behind. */
import { expect, type onTestFinished } from 'vitest';
import { type Ended, type Running, startWorker } from '../support/cli.ts';
import type { Random } from './random.ts';

/** What an operator would have to read of one process, in a storm of this length: warnings and errors. */
const MOST_WARNINGS = 150 + 10 * Number(process.env.CHAOS_SECONDS || 0);
/** Process managers give about this long. */
const STOP_WITHIN_MS = 15_000;

/** Nobody of it speaks of what it should have caught. */
function expectClean(stderr: string): void {
  expect(stderr).not.toMatch(/unhandled|uncaught|MaxListeners|"level":60|^\s+at /im);
  const warnings = stderr.split('\n').filter((line) => /"level":[45]0/.test(line));
  expect(warnings.length, warnings.slice(0, 20).join('\n')).toBeLessThan(MOST_WARNINGS);
}

export class Fleet {
  #members: Running[] = [];
  /** How many were killed so far. */
  killed = 0;
  readonly #left: Promise<Ended>[] = [];

  constructor(
    private readonly env: Record<string, string>,
    private readonly random: Random,
    private readonly finished: typeof onTestFinished,
  ) {}

  get members(): readonly Running[] {
    return this.#members;
  }

  /** Starts so many more. */
  async join(workers: number): Promise<void> {
    const started = Array.from({ length: workers }, () => startWorker(this.env, this.finished));
    this.#members.push(...(await Promise.all(started)));
  }

  /** SIGKILL for one of them. */
  async kill(): Promise<void> {
    const victim = this.#take();
    if (victim === undefined) return;
    this.killed++;
    expectClean((await victim.kill('SIGKILL')).stderr);
  }

  /** SIGTERM for one of them; `settled` has its end. */
  stop(): void {
    const leaving = this.#take();
    if (leaving === undefined) return;
    this.#left.push(this.#end(leaving));
  }

  /** Ends all, and resolves once everybody who was told to stop has. Fails when one is stuck, or has anything to hide. */
  async disband(): Promise<void> {
    while (this.#members.length > 0) this.stop();
    for (const { code, stderr } of await Promise.all(this.#left)) {
      expect(code, stderr).toBe(0);
      expectClean(stderr);
    }
  }

  #take(): Running | undefined {
    const one = this.random.pick(this.#members);
    this.#members = this.#members.filter((member) => member !== one);
    return one;
  }

  async #end(leaving: Running): Promise<Ended> {
    const late = setTimeout(() => leaving.child.kill('SIGABRT'), STOP_WITHIN_MS);
    try {
      return await leaving.kill('SIGTERM');
    } finally {
      clearTimeout(late);
    }
  }
}
