/** The built command line, run as real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { finished as ofCurrent } from './finished.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** Nothing of the developer's own settings reaches a test. */
export function environment(env: Record<string, string>): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(STALESWEEP_|REDIS_URL|QUEUE_REDIS_URL|LOG_LEVEL|OTEL_)/.test(name),
  );
  return { ...Object.fromEntries(clean), ...env };
}

/** The environment of a process whose own clock is this many hours off. */
export function withClockOff(hours: number): Record<string, string> {
  const code = `const Right = Date; globalThis.Date = class extends Right {
    constructor(...args) { super(...(args.length > 0 ? args : [Date.now()])); }
    static now() { return Right.now() + ${hours * 3_600_000}; }
  };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  /** Resolves once stderr holds the text; fails when the process ends without it. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<Ended>;
}

/**
 * Starts a command; it is killed at the end of the test if it still runs.
 * @param finished what a test's context offers, where several tests run at once
 * @param main another build's command than this project's own
 */
export function start(
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
  finished = ofCurrent,
  main = MAIN,
): Running {
  const child = spawn(process.execPath, [main, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, stdout, stderr }));
  finished(() => {
    child.kill('SIGKILL');
  });
  return {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    says: async (text) => {
      const heard = new Promise<void>((resolve) => {
        const listen = () => stderr.includes(text) && resolve();
        child.stderr.on('data', listen);
        listen();
      });
      const silent = ended.then(() => {
        if (!stderr.includes(text)) throw new Error(`the process ended without saying "${text}":\n${stderr}`);
      });
      await Promise.race([heard, silent]);
    },
    kill: async (signal) => {
      child.kill(signal);
      return await ended;
    },
  };
}

/** Runs a command to its end. */
export async function cli(args: readonly string[], env: Record<string, string>, cwd?: string): Promise<Ended> {
  return await start(args, env, cwd).ended;
}

/** How long an empty Node.js process takes at this moment, in ms; a command takes thirty times as much work at most. */
export async function bareStartMs(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ['-e', '']), 'exit');
  return performance.now() - startedAt;
}

/** Starts a worker and resolves once it takes runs. */
export async function startWorker(env: Record<string, string>, finished = ofCurrent): Promise<Running> {
  const worker = start(['worker'], env, undefined, finished);
  await worker.says('worker started');
  return worker;
}
