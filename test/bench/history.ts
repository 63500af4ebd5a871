/** history: whether thousands of past runs slow a run through the queue, or the dashboard. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import getPort from 'get-port';
import { resolveConfig } from '../../src/config/resolve.ts';
import { compileSchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { populate } from '../../src/redis/sample/populate.ts';
import { writeHistory } from '../support/history.ts';
import { startRedis } from '../support/redis.ts';
import { progress } from './say.ts';

export interface HistoryResult {
  readonly measuredAt: string;
  /** How many past runs there are. */
  readonly past: number;
  /** How long runs took, from being asked for to their end, with the history and without; they took turns. */
  readonly runMs: { readonly without: readonly number[]; readonly with: readonly number[] };
  /** How long the dashboard's first page took with the list of queues it asks for, and what the page of a queue asks for. */
  readonly dashboardMs: { readonly first: readonly number[]; readonly queue: readonly number[] };
}

export interface HistoryPlan {
  readonly past: number;
  readonly coordinators: number;
  readonly trials: number;
}

export const HISTORY: HistoryPlan = { past: 10_000, coordinators: 10_000, trials: 15 };

const MAIN = createRequire(import.meta.url).resolve('#root/dist/src/cli/main.js');
const QUIET = { onError: () => {}, onReady: () => {} };
const FIRST = ['/queues/', '/queues/api/queues?page=1&jobsPerPage=10'];
const QUEUE = ['/queues/api/queues?activeQueue=cleanup&status=completed&page=1&jobsPerPage=10'];

/** Starts a command, and waits until it says so. */
async function startCommand(command: string, says: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN, command], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  await new Promise<void>((resolve, reject) => {
    // It goes on to be read, or the command would stop at a full pipe.
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes(says)) resolve();
    });
    child.once('exit', () => reject(new Error(`${command} ended: ${said}`)));
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Asks the queue for a run; how long it took to its end. */
async function timeRun(queues: Queues, env: Record<string, string>): Promise<number> {
  const { targets, queue } = resolveConfig({}, env);
  const { run } = await enqueue(queues.runs, targets, { target: 'default', trigger: 'manual' });
  await waitForRun(queues, queue, QUIET, run);
  const job = await queues.runs.getJob(run);
  return (job?.finishedOn ?? Number.NaN) - (job?.timestamp ?? Number.NaN);
}

async function timePages(url: string, paths: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  for (const path of paths) {
    const response = await fetch(`${url}${path}`);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  }
  return performance.now() - startedAt;
}

/** Measures both, with real workers and a real dashboard. */
export async function measureHistory({ past, coordinators, trials }: HistoryPlan): Promise<HistoryResult> {
  progress(`history: writing ${past} past runs`);
  const ending: (() => Promise<void>)[] = [];
  const keep = async <T>(opened: Promise<T>, close: (one: T) => Promise<void>): Promise<T> => {
    const one = await opened;
    ending.push(async () => await close(one));
    return one;
  };
  try {
    const [target, old, young] = await Promise.all(
      Array.from({ length: 3 }, async () => await keep(startRedis(), async (server) => await server.stop())),
    );
    if (!target || !old || !young) throw new Error('no servers');
    const schema = compileSchema('swarm', SHIPPED_SCHEMAS.swarm ?? { families: {} });
    await populate(target.redis, schema, { coordinators, stale: 0, acks: 2, idempotency: 1, staleAfterSeconds: 600 });

    // Nobody is stale, so that each run finds what the one before found; no schedule comes between.
    const open = async (url: string, runs: number) => {
      const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: url, STALESWEEP_EVERY: '1d', STALESWEEP_STALE_AFTER: '1d' };
      const queues = await keep(openQueues(resolveConfig({}, env).queue, QUIET), async (one) => await one.close());
      await writeHistory(queues, runs);
      await keep(startCommand('worker', 'worker started', env), end);
      return { env, queues };
    };
    const before = await open(young.url, 0);
    const after = await open(old.url, past);

    const runMs = { without: [] as number[], with: [] as number[] };
    // The first runs find the workers' code not yet compiled.
    for (let trial = -5; trial < trials; trial++) {
      const without = await timeRun(before.queues, before.env);
      const withIt = await timeRun(after.queues, after.env);
      if (trial < 0) continue;
      runMs.without.push(without);
      runMs.with.push(withIt);
    }

    const port = await getPort({ host: '127.0.0.1' });
    const env = { ...after.env, STALESWEEP_PORT: `${port}` };
    await keep(startCommand('dashboard', 'dashboard started', env), end);
    const dashboardMs = { first: [] as number[], queue: [] as number[] };
    for (let trial = 0; trial < trials; trial++) {
      dashboardMs.first.push(await timePages(`http://127.0.0.1:${port}`, FIRST));
      dashboardMs.queue.push(await timePages(`http://127.0.0.1:${port}`, QUEUE));
    }
    return { measuredAt: new Date().toISOString(), past, runMs, dashboardMs };
  } finally {
    for (const close of ending.toReversed()) await close();
  }
}
