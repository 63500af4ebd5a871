/** fleet: `stalesweep worker` processes that come and go, and what each of them left behind. Where none is killed they may be workers in
 * the test's own process, which starts none.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, type onTestFinished } from 'vitest';
import { type Ended, type Running, startWorker } from '../support/cli.ts';
import { work } from '../support/worker.ts';
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

/** One of it: a process, or what behaves as one. */
export type Member = Pick<Running, 'stderr' | 'kill'>;

/** Starts a worker; resolves once it takes runs. */
type Start = (env: Record<string, string>, finished: typeof onTestFinished) => Promise<Member>;

/**
 * Starts a worker in the test's own process. SIGTERM closes it, as it does in a process; whatever else is sent also gives it up, and its
 * end has no code then.
 */
export const startWithin: Start = async (env, finished) => {
  let warned = '';
  const hear = ({ name, message }: Error) => {
    warned += `${name}: ${message}\n`;
  };
  // Room for this one alone: what the product listens for is to keep to the usual ten.
  process.setMaxListeners(process.getMaxListeners() + 1);
  process.on('warning', hear);
  const worker = await work(env, finished);
  const stderr = () => worker.log() + warned;
  return {
    stderr,
    kill: async (signal) => {
      const closed = worker.close().finally(() => {
        process.off('warning', hear);
        process.setMaxListeners(process.getMaxListeners() - 1);
      });
      if (signal === 'SIGTERM') await closed;
      return { code: signal === 'SIGTERM' ? 0 : null, stdout: '', stderr: stderr() };
    },
  };
};

export class Fleet {
  #members: Member[] = [];
  /** How many were killed so far. */
  killed = 0;
  readonly #left: Promise<Ended>[] = [];

  constructor(
    private readonly env: Record<string, string>,
    private readonly random: Random,
    private readonly finished: typeof onTestFinished,
    private readonly startOne: Start = startWorker,
  ) {}

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Starts so many more. */
  async join(workers: number): Promise<void> {
    const started = Array.from({ length: workers }, () => this.startOne(this.env, this.finished));
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

  #take(): Member | undefined {
    const one = this.random.pick(this.#members);
    this.#members = this.#members.filter((member) => member !== one);
    return one;
  }

  async #end(leaving: Member): Promise<Ended> {
    const ended = leaving.kill('SIGTERM');
    const stuck = new AbortController();
    const late = pause(STOP_WITHIN_MS, null, { signal: stuck.signal }).then(
      async () => await leaving.kill('SIGABRT'),
      async () => await ended,
    );
    try {
      return await Promise.race([ended, late]);
    } finally {
      stuck.abort();
    }
  }
}
