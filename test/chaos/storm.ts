/** storm: a living swarm, several workers, runs asked for all the time, and something that goes wrong again and again; then
 * the calm after it, in which everything is counted.
 *
 *      CHAOS_SEED=… CHAOS_SECONDS=… npx vitest run test/chaos      the same draws again, or longer storms
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, type TestContext, vi } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { type QueuedRun, readQueuedRuns } from '../../src/queue/runs/history.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { eventually } from './eventually.ts';
import { Fleet, startWithin } from './fleet.ts';
import { Random } from './random.ts';
import { Server } from './server.ts';
import { CREATED, KEYS_EACH, KEYS_PER_FAMILY, type SchemaName, Swarm } from './swarm.ts';
import { Way } from './way.ts';

const seed = Number(process.env.CHAOS_SEED || Date.now() % 1_000_000);
const longer = Number(process.env.CHAOS_SECONDS || 0);

/** Whoever lets a storm go on for longer wants to read how it went. */
function say(what: object): void {
  if (longer > 0) console.log(JSON.stringify(what));
}

/**
 * How long runs that were asked for may take, once all is calm: a killed worker's run is taken over within 15 seconds; a
 * connection that leads nowhere is given up after as many, and a worker has several.
 */
const CALM_MS = 75_000;
// A storm and its calm take about 20 s; on a slow machine, much longer.
vi.setConfig({ testTimeout: 150_000 + longer * 1000 });
/** Longer storms have more of them, and so longer runs. */
const FOUNDERS = longer > 0 ? 1_000 : 500;
const SILENT = FOUNDERS * 0.6;

export interface Weather {
  readonly random: Random;
  readonly swarm: Swarm;
  readonly fleet: Fleet;
  readonly target: Server;
  /** The same as the target where they are one. */
  readonly queue: Server;
  /** The workers' ways to them. */
  readonly toTarget: Way;
  readonly toQueue: Way;
  readonly queues: Queues;
  readonly requests: Requests;
  /** The environment of workers and dashboards. */
  readonly env: Record<string, string>;
}

export interface Plan {
  /** For how long it goes wrong. */
  readonly seconds: number;
  /** One thing that goes wrong, from its beginning to its end. */
  readonly gust: (weather: Weather) => Promise<void>;
  /** The target is the queue's Redis as well. */
  readonly together?: boolean;
  readonly schema?: SchemaName;
  readonly workers?: number;
  /** Its workers are in the test's own process, where none is killed: a process of its own takes more than a second of CPU. */
  readonly within?: boolean;
  readonly settings?: object;
  /** By those settings. */
  readonly staleAfterSeconds?: number;
  readonly env?: Record<string, string>;
  readonly targetArgs?: readonly string[];
  readonly queueArgs?: readonly string[];
  /** Before any worker starts. */
  readonly before?: (weather: Weather) => Promise<void>;
  /** Before the workers end. */
  readonly after?: (weather: Weather, aftermath: Aftermath) => Promise<void>;
}

/** What there was when all was over. */
export interface Aftermath {
  readonly rows: readonly QueuedRun[];
  readonly reports: readonly Report[];
  /** How many coordinators all runs together say they have swept. */
  readonly reported: number;
  /** How often a coordinator's keys have really gone, as the auditor knows. */
  readonly swept: number;
}

/** Asks for runs all the time, and remembers what it was promised. */
class Requests {
  readonly runs = new Set<string>();
  /** Those that got no answer: a run may come of them, or not. */
  unanswered = 0;
  /** Whether runs have gone without a trace. */
  forgotten = false;
  /** How often a loss began or ended. */
  #turns = 0;
  #over = false;
  #asking: Promise<void> = Promise.resolve();

  constructor(
    private readonly queues: Queues,
    private readonly targets: Parameters<typeof enqueue>[1],
    private readonly random: Random,
  ) {}

  async ask(): Promise<void> {
    const before = this.#turns;
    const { run } = await enqueue(this.queues.runs, this.targets, { target: 'default', trigger: 'manual' });
    // Who asks while the queue loses everything may have been promised a run that is lost, or not.
    if (this.#turns === before) this.runs.add(run);
  }

  begin(): void {
    const keepAsking = async () => {
      while (!this.#over) {
        await this.ask().catch(() => this.unanswered++);
        await this.random.moment(20, 150);
      }
    };
    this.#asking = keepAsking();
  }

  /** The queue loses all it holds. */
  async forget(lose: () => Promise<unknown>): Promise<void> {
    this.forgotten = true;
    this.#turns++;
    await lose();
    this.#turns++;
    this.runs.clear();
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#asking;
  }
}

async function expectIdle(queues: Queues): Promise<void> {
  const busy = async () => await queues.runs.getJobCounts('active', 'waiting', 'delayed', 'prioritized');
  const nothing = { active: 0, waiting: 0, delayed: 0, prioritized: 0 };
  await eventually(busy, nothing, CALM_MS);
}

/** Each report adds up by itself. */
function expectSound(report: Report): void {
  const { checked, active, stale, unreadable, swept, revived } = report.coordinators;
  expect(report.outcome).toBe('completed');
  expect([checked, stale], JSON.stringify(report)).toEqual([active + stale + unreadable, swept + revived]);
  expect(unreadable).toBe(0);
  expect(report.keys).toMatchObject({ deleted: swept * KEYS_EACH, found: swept * KEYS_EACH });
  const byFamily = Object.entries(KEYS_PER_FAMILY).map(([family, each]) => [family, swept * each]);
  expect(report.keys.byFamily).toEqual(Object.fromEntries(byFamily));
}

/** Locks, stalled marks, what others would join: none of it outlives the runs. */
async function expectNothingHeld({ redis }: Server): Promise<void> {
  const names = await redis.keys('{stalesweep}:cleanup:*');
  expect(names.filter((name) => /:lock$|:de:|:active$|:wait$|:delayed$/.test(name))).toEqual([]);
}

/** What runs that failed for good had removed before, as their progress tells. */
async function sweptInVain({ runs }: Queues): Promise<number> {
  const failed = await runs.getFailed();
  return failed.reduce((sum, { progress }) => sum + ((progress as { swept?: number }).swept ?? 0), 0);
}

/** One last run, and everything is as it should be. */
async function calm(weather: Weather): Promise<Aftermath> {
  const { swarm, queues, requests, target, queue } = weather;
  swarm.be('calm');
  await requests.end();
  await expectIdle(queues);
  swarm.expectWell();
  await eventually(() => swarm.count('unsure'), 0, CALM_MS);
  await requests.ask();
  await expectIdle(queues);
  await swarm.rest();
  await swarm.audit();

  const rows = await readQueuedRuns(queues.runs, 10_000);
  const runs = rows.map(({ run }) => run);
  expect(new Set(runs).size, 'one run per request in the history').toBe(runs.length);
  expect(runs).toEqual(expect.arrayContaining([...requests.runs]));
  if (!requests.forgotten) expect(runs.length - requests.runs.size).toBeLessThanOrEqual(requests.unanswered);

  const reports = rows.flatMap(({ report }) => report ?? []);
  for (const report of reports) expectSound(report);
  expect(rows[0]?.report?.coordinators).toMatchObject({ active: swarm.count('active'), revived: 0 });
  expect(swarm.count('silent'), 'every stale one is gone').toBe(0);
  const left = (await target.redis.keys('*')).filter((key) => !key.startsWith('{stalesweep}')).sort();
  expect(left).toEqual(swarm.expectedKeys());
  await expectNothingHeld(queue);
  const swept = Number(await target.redis.get(CREATED)) - swarm.count('active');
  const reported = reports.reduce((sum, { coordinators }) => sum + coordinators.swept, await sweptInVain(queues));
  const spared = reports.reduce((sum, { coordinators }) => sum + coordinators.revived, 0);
  say({ runs: rows.length, reported, swept, spared, unanswered: requests.unanswered, ...swarm.seen });
  return { rows, reports, reported, swept };
}

async function around(plan: Plan, weather: Weather): Promise<Aftermath> {
  const { swarm, requests, fleet } = weather;
  await swarm.found(FOUNDERS, SILENT);
  await plan.before?.(weather);
  await fleet.join(plan.workers ?? 2);
  swarm.live();
  swarm.be('wild');
  requests.begin();
  const ends = performance.now() + (longer || plan.seconds) * 1000;
  while (performance.now() < ends) {
    await plan.gust(weather);
    swarm.expectWell();
  }
  const aftermath = await calm(weather);
  await plan.after?.(weather, aftermath);
  await fleet.disband();
  return aftermath;
}

/** Tells the swarm of every run that ends, as far as the queue can be asked. */
async function countRuns(queues: Queues, swarm: Swarm, over: AbortSignal): Promise<void> {
  for (let known = 0; !over.aborted; await pause(20)) {
    const ended = await queues.runs.getJobCountByTypes('completed', 'failed').catch(() => known);
    for (; known < ended; known++) swarm.runEnded();
  }
}

/** Lets a storm pass. Fails, with the seed, when anything of what is promised did not hold. */
export async function storm({ onTestFinished }: TestContext, plan: Plan): Promise<Aftermath> {
  const random = new Random(seed);
  const target = await Server.start(plan.targetArgs);
  const queue = plan.together ? target : await Server.start(plan.queueArgs);
  const toTarget = await Way.to(target.port);
  const toQueue = await Way.to(queue.port);
  const file = join(target.folder, 'stalesweep.yaml');
  // Workers and whoever asks for runs go different ways to the same Redis. And storms let many die at once.
  await writeFile(
    file,
    JSON.stringify({ suddenSilence: false, ...plan.settings, targets: { default: { id: 'the-target' } } }),
  );
  const env = {
    REDIS_URL: toTarget.url,
    QUEUE_REDIS_URL: toQueue.url,
    STALESWEEP_CONFIG: file,
    STALESWEEP_SCHEMA: plan.schema ?? 'swarm',
    // On a busy machine calls look slow, and pages would shrink until a run takes minutes.
    STALESWEEP_CALL_BUDGET: '10ms',
    // No scheduled run comes between.
    STALESWEEP_CRON: '0 0 1 1 *',
    ...plan.env,
  };
  const swarm = new Swarm(target.url, random, plan.schema, plan.staleAfterSeconds);
  const queues = await openQueues(queue.url, { onError: () => {}, onReady: () => {} });
  const asked = { name: file, text: JSON.stringify({ targets: { default: { id: 'the-target' } } }) };
  const { targets } = resolveConfig({}, { REDIS_URL: target.url, STALESWEEP_SCHEMA: env.STALESWEEP_SCHEMA }, asked);
  const requests = new Requests(queues, targets, random);
  const fleet = new Fleet(env, random, onTestFinished, plan.within ? startWithin : undefined);
  const weather = { random, swarm, fleet, target, queue, toTarget, toQueue, queues, requests, env };
  const over = new AbortController();
  const counting = countRuns(queues, swarm, over.signal);
  const close = async () => {
    over.abort();
    await counting;
    await queues.close();
    swarm.close();
    await Promise.all([toTarget.close(), toQueue.close()]);
  };
  try {
    const aftermath = await around(plan, weather);
    await close();
    for (const server of [target, queue]) await server.expectNoLeaks();
    return aftermath;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const said = fleet.members.map((worker) => worker.stderr()).join('\n');
    throw new Error(`${what}\n\nit was the storm of CHAOS_SEED=${seed}; the workers said:\n${said}`, { cause: error });
  } finally {
    for (const member of fleet.members) void member.kill('SIGKILL');
    await close();
    for (const server of new Set([target, queue])) await server.stop();
  }
}
