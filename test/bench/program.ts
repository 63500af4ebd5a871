/** program: the parent's side of a program that the benchmark starts. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Answer, Question } from './programs/serve.ts';

export type ProgramName =
  | 'stalesweep'
  | 'floor'
  | 'clusterFloor'
  | 'byHand'
  | 'loop'
  | 'oneScript'
  | 'command'
  | 'idle'
  | 'pings';

/** How `npm start` and the image run Node.js. */
export const NODE_OPTIONS = ['--v8-pool-size=0'];

/** Programs run built, as they would in production, also when a test runs this file from source. */
function fileOf(name: ProgramName): string {
  return createRequire(import.meta.url).resolve(`#root/dist/test/bench/programs/${name}.js`);
}

export class Program {
  readonly #child: ChildProcess;
  readonly #name: ProgramName;

  constructor(name: ProgramName) {
    this.#name = name;
    this.#child = fork(fileOf(name), [], { execArgv: NODE_OPTIONS, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  /** Asks one thing; fails when the program does, when it ends, or when it takes longer than it may: then it is killed. */
  async ask<T>(ask: string, argument: unknown = null, limitMs = 600_000): Promise<T> {
    const settled = new AbortController();
    const { signal } = settled;
    const late = AbortSignal.timeout(limitMs);
    const question: Question = { ask, argument };
    try {
      const answered = once(this.#child, 'message', { signal }).then(([answer]) => answer as Answer);
      const ended = once(this.#child, 'exit', { signal }).then((): Answer => ({ error: 'it ended without an answer' }));
      const timedOut = once(late, 'abort', { signal }).then((): Answer => {
        this.#child.kill('SIGKILL');
        return { error: `it took longer than ${limitMs / 1000} s` };
      });
      for (const one of [answered, ended, timedOut]) one.catch(() => {});
      this.#child.send(question);
      const answer = await Promise.race([answered, ended, timedOut]);
      if ('error' in answer) throw new Error(`${this.#name}: ${answer.error}`);
      return answer.value as T;
    } finally {
      settled.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
