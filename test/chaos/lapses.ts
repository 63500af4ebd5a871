/** lapses: coordinators that die and come back under heartbeats that expire, with real workers, and things that go wrong; in
 * the end everybody dead must be gone, whole, and everybody else whole.
 *
 *      CHAOS_SEED=… npx vitest run test/chaos/lapsed.test.ts      the same draws again
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { openQueues, type Queues } from '../../src/queue/queues.ts';
import { configFile } from '../support/files.ts';
import { UNSCRIPTED } from '../support/users.ts';
import { eventually } from './eventually.ts';
import { Fleet } from './fleet.ts';
import { Lapsing, TIMES } from './lapsing.ts';
import { Place } from './place.ts';
import { Random } from './random.ts';
import { Server } from './server.ts';
import type { Trouble } from './troubles.ts';
import { Way } from './way.ts';

const ROUND_MS = 200;
const CALM_MS = 60_000;
/** A server that loses nothing it has answered for. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** Given at the start, since a restart forgets users that were added. */
const USER = ['--user', 'stalesweep', 'on', '>secret', ...UNSCRIPTED];

type Strategy = 'script' | 'transaction';

interface Plan {
  readonly strategy: Strategy;
  readonly coordinators: number;
  /** For how long they die and come back. */
  readonly seconds: number;
  /** What goes wrong, one after the other, with so many seconds between. */
  readonly troubles: readonly ((trouble: Trouble) => Promise<void>)[];
  readonly apartSeconds: number;
  /** Another deployment has its queue here, too, under a prefix of its own; left out: a Redis of its own. */
  readonly shares?: { readonly queue: Server; readonly prefix: string };
}

async function reportsIn({ runs }: Queues): Promise<Report[]> {
  return (await runs.getCompleted()).flatMap(({ returnvalue }) => returnvalue ?? []);
}

/** Every report adds up by itself. */
function expectSound({ coordinators, outcome, strategy }: Report, wanted: Strategy): void {
  const { checked, active, stale, unreadable, lapsed, swept, revived } = coordinators;
  if (outcome === 'skipped') return;
  expect({ outcome, strategy, unreadable }).toEqual({ outcome: 'completed', strategy: wanted, unreadable: 0 });
  expect([checked, stale], JSON.stringify(coordinators)).toEqual([active + stale, swept + revived]);
  expect(lapsed).toBe(swept);
}

async function live(plan: Plan, trouble: Trouble): Promise<void> {
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
}

async function around(plan: Plan, trouble: Trouble, queues: Queues): Promise<void> {
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
}

/** Lets them live and die. Fails, with the seed, when anybody living loses something, or anybody dead keeps something. */
export async function letLapse({ onTestFinished }: TestContext, plan: Plan): Promise<Lapsing['seen']> {
  const random = new Random(Number(process.env.CHAOS_SEED || Date.now() % 1_000_000));
  const target = await Place.open([...DURABLE, ...USER]);
  const queue = plan.shares?.queue ?? (await Server.start(DURABLE));
  const prefix = plan.shares?.prefix ?? '{stalesweep}';
  const ways = [await target.way(), await Way.to(queue.port)] as const;
  const settings = { minStaleAfter: '10s', staleAfter: `${TIMES.staleAfter}s` };
  const file = await configFile(JSON.stringify(settings), onTestFinished);
  const user = plan.strategy === 'script' ? '' : 'stalesweep:secret@';
  const env = {
    REDIS_URL: ways[0].url.replace('//', `//${user}`),
    QUEUE_REDIS_URL: ways[1].url,
    STALESWEEP_QUEUE_PREFIX: prefix,
    STALESWEEP_CONFIG: file,
    STALESWEEP_SCHEMA: 'claude-flow-novice',
    STALESWEEP_EVERY: `${TIMES.every}s`,
    STALESWEEP_CALL_BUDGET: '10ms',
  };
  const queues = await openQueues({ url: queue.url, prefix }, { onError: () => {}, onReady: () => {} });
  const lapsing = new Lapsing((await target.way()).url, plan.coordinators, random, async () => await reportsIn(queues));
  const fleet = new Fleet(env, random, onTestFinished);
  try {
    await around(plan, { fleet, target, queue, ways, random, lapsing }, queues);
    return lapsing.seen;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const said = fleet.members.map((worker) => worker.stderr()).join('\n');
    const how = `CHAOS_SEED=${random.seed} ${JSON.stringify(lapsing.seen)}`;
    throw new Error(`${what}\n\nit was ${how}; the workers said:\n${said}`, { cause: error });
  } finally {
    for (const member of fleet.members) void member.kill('SIGKILL');
    lapsing.close();
    await queues.close();
    await ways[1].close();
    await target.stop();
    if (!plan.shares) await queue.stop();
  }
}
