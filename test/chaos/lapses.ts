/** lapses: coordinators that die and come back under heartbeats that expire, with real workers, and things that go wrong; in
 * the end everybody dead must be gone, whole, and everybody else whole.
 *
 *      CHAOS_SEED=… npx vitest run test/chaos/lapsed.test.ts      the same draws again
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { UNSCRIPTED } from '../support/users.ts';
import { eventually } from './eventually.ts';
import { Fleet } from './fleet.ts';
import { Lapsing, TIMES } from './lapsing.ts';
import { Random } from './random.ts';
import { Server } from './server.ts';

const ROUND_MS = 200;
const CALM_MS = 60_000;
/** A server that loses nothing it has answered for. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** Given at the start, since a restart forgets users that were added. */
const USER = ['--user', 'stalesweep', 'on', '>secret', ...UNSCRIPTED];

type Strategy = 'script' | 'transaction';

export interface Trouble {
  readonly fleet: Fleet;
  readonly target: Server;
  readonly queue: Server;
  readonly random: Random;
  readonly lapsing: Lapsing;
}

interface Plan {
  readonly strategy: Strategy;
  readonly coordinators: number;
  /** For how long they die and come back. */
  readonly seconds: number;
  /** What goes wrong, one after the other, with so many seconds between. */
  readonly troubles: readonly ((trouble: Trouble) => Promise<void>)[];
  readonly apartSeconds: number;
}

/** SIGKILL for a worker, and another one in its place. */
export const loseWorker = async ({ fleet, lapsing }: Trouble): Promise<void> => {
  const heir = fleet.join(1);
  await fleet.kill();
  lapsing.trouble();
  await heir;
};

export const restartTarget = async ({ target, random, lapsing }: Trouble): Promise<void> => {
  await target.shutDown();
  const away = Date.now();
  await random.moment(0, 1_500);
  const back = Date.now();
  await target.comeBack();
  lapsing.wasAway(away, back);
};

export const restartQueue = async ({ queue, random, lapsing }: Trouble): Promise<void> => {
  await queue.shutDown();
  await random.moment(0, 1_500);
  await queue.comeBack();
  lapsing.trouble();
};

const reportsIn = async ({ runs }: Queues): Promise<Report[]> =>
  (await runs.getCompleted()).flatMap(({ returnvalue }) => returnvalue ?? []);

/** Every report adds up by itself. */
const expectSound = ({ coordinators, outcome, strategy }: Report, wanted: Strategy): void => {
  const { checked, active, stale, unreadable, lapsed, swept, revived } = coordinators;
  if (outcome === 'skipped') return;
  expect({ outcome, strategy, unreadable }).toEqual({ outcome: 'completed', strategy: wanted, unreadable: 0 });
  expect([checked, stale], JSON.stringify(coordinators)).toEqual([active + stale, swept + revived]);
  expect(lapsed).toBe(swept);
};

const live = async (plan: Plan, trouble: Trouble): Promise<void> => {
  const { lapsing } = trouble;
  const ends = performance.now() + plan.seconds * 1000;
  let nextAt = performance.now() + plan.apartSeconds * 1000;
  let under: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  for (let n = 0; performance.now() < ends || n < plan.troubles.length; await pause(ROUND_MS)) {
    await lapsing.round();
    if (failure !== null) throw failure;
    const what = plan.troubles[n];
    if (what === undefined || performance.now() < nextAt) continue;
    nextAt = performance.now() + plan.apartSeconds * 1000;
    n++;
    under = under
      .then(async () => await what(trouble))
      .catch((error) => {
        failure = error;
      });
  }
  await under;
  if (failure !== null) throw failure;
  lapsing.calm();
  for (
    const late = performance.now() + CALM_MS;
    !lapsing.isSettled && performance.now() < late;
    await pause(ROUND_MS)
  ) {
    await lapsing.round();
  }
};

const around = async (plan: Plan, trouble: Trouble, queues: Queues): Promise<void> => {
  const { fleet, lapsing, target } = trouble;
  await lapsing.round();
  await fleet.join(2);
  await live(plan, trouble);
  const left = async () => (await target.redis.keys('*')).filter((key) => !key.startsWith('{stalesweep}')).sort();
  // Who came back last may beat meanwhile.
  await eventually(async () => {
    await lapsing.round();
    expect(await left()).toEqual(lapsing.expectedKeys());
    return true;
  }, true);
  const reports = await reportsIn(queues);
  for (const report of reports) expectSound(report, plan.strategy);
  expect(lapsing.seen.swept).toBeGreaterThan(0);
  expect(reports.reduce((sum, { coordinators }) => sum + coordinators.lapsed, 0)).toBeGreaterThan(0);
  await fleet.disband();
};

/** Lets them live and die. Fails, with the seed, when anybody living loses something, or anybody dead keeps something. */
export const letLapse = async ({ onTestFinished }: TestContext, plan: Plan): Promise<Lapsing['seen']> => {
  const random = new Random(Number(process.env.CHAOS_SEED || Date.now() % 1_000_000));
  const target = await Server.start([...DURABLE, ...USER]);
  const queue = await Server.start(DURABLE);
  const file = join(target.folder, 'stalesweep.yaml');
  await writeFile(file, JSON.stringify({ minStaleAfter: '10s', staleAfter: `${TIMES.staleAfter}s` }));
  const user = plan.strategy === 'script' ? '' : 'stalesweep:secret@';
  const env = {
    REDIS_URL: target.url.replace('//', `//${user}`),
    QUEUE_REDIS_URL: queue.url,
    STALESWEEP_CONFIG: file,
    STALESWEEP_SCHEMA: 'claude-flow-novice',
    STALESWEEP_EVERY: `${TIMES.every}s`,
    STALESWEEP_CALL_BUDGET: '10ms',
  };
  const queues = await openQueues(queue.url, { onError: () => {}, onReady: () => {} });
  const lapsing = new Lapsing(target.url, plan.coordinators, random, async () => await reportsIn(queues));
  const fleet = new Fleet(env, random, onTestFinished);
  try {
    await around(plan, { fleet, target, queue, random, lapsing }, queues);
    return lapsing.seen;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const said = fleet.members.map((worker) => worker.stderr()).join('\n');
    const how = `CHAOS_SEED=${random.seed} ${JSON.stringify(lapsing.seen)}`;
    throw new Error(`${what}\n\nit was ${how}; the workers said:\n${said}`, { cause: error });
  } finally {
    for (const { child } of fleet.members) child.kill('SIGKILL');
    lapsing.close();
    await queues.close();
    for (const server of [target, queue]) await server.stop();
  }
};
