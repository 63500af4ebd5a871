/** workerKills: a primary that is killed (-9) and its replica promoted while a worker's process runs, with or without what it took last. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Report } from '../../src/domain/report.ts';
import { Random } from '../chaos/random.ts';
import { until, type TestCluster } from '../support/clusterServers.ts';
import { command } from '../support/command.ts';
import type { Running } from '../support/cli.ts';
import { areReplicated, isWhole, primariesOf } from './failovers.ts';
import type { Gates } from './gates.ts';
import { racerOf, Round, type Story } from './race.ts';
import type { TestRedis } from '../support/redis.ts';

/** A run of these takes a second or two, once it has begun to remove; the kill comes in it, or before, or after. */
const MOST_DELAY_MS = 1_500;
const MOST_HELD_MS = 800;
const STIR_EVERY_MS = 40;

export interface WorkerKills {
  kills: number;
  /** Kills that took writes along which replicas had not heard of. */
  losing: number;
  /** Runs that took more than one attempt. */
  again: number;
  /** How the runs ended during which a primary was killed. */
  readonly ended: Record<string, number>;
}

interface Past {
  readonly run: string;
  readonly state: string;
  readonly attempts: number;
  readonly report: Report | null;
}

async function ask(args: readonly string[], env: Record<string, string>): Promise<unknown> {
  const { code, stdout, stderr } = await command([...args, '--json'], env);
  if (stdout.trim() === '') throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** The run once it has ended, whichever way. */
async function endOf(run: string, env: Record<string, string>): Promise<Past> {
  for (;;) {
    const runs = (await ask(['history', '--limit', '20'], env)) as readonly Past[];
    const found = runs.find((one) => one.run === run);
    if (found !== undefined && !['active', 'waiting', 'delayed', 'running'].includes(found.state)) return found;
    await pause(200);
  }
}

/**
 * One run by the worker during which a primary is killed, and the next, by the same process. Resolves to whom that was. What
 * coordinators wrote counts once a replica of each primary is known to have it: what Redis itself loses nobody is blamed for.
 */
export async function killOnce(
  cluster: TestCluster,
  gates: Gates,
  seed: number,
  story: Story,
  told: WorkerKills,
  { env, worker }: { readonly env: Record<string, string>; readonly worker: Running },
): Promise<TestRedis> {
  const random = new Random(seed);
  const redis = racerOf(cluster);
  try {
    const coordinators = 200;
    const round = new Round(cluster, redis, random, story, coordinators, async () => await areReplicated(cluster));
    await round.populate();
    await until(async () => await areReplicated(cluster));
    const victim = random.pick(await primariesOf(cluster)) as TestRedis;
    let isOver = false;
    // A busy machine may begin long after it was asked to, and whoever comes before that tries nothing.
    const untouched = (await cluster.keys()).length;
    const begun =
      random.between(0, 3) === 0
        ? Promise.resolve()
        : until(async () => isOver || (await cluster.keys()).length < untouched);
    const stirring = (async () => {
      await begun;
      for (let left = coordinators / 2; left > 0 && !isOver; left -= 4) {
        void round.stir(random.between(0, 4), 'while it runs');
        await pause(STIR_EVERY_MS);
      }
    })();
    const { run } = (await ask(['enqueue'], env)) as { run: string };
    await begun;
    await pause(random.between(0, MOST_DELAY_MS));
    if (random.between(0, 2) > 0) {
      gates.hold(victim);
      told.losing++;
      await pause(random.between(0, MOST_HELD_MS));
    }
    await victim.stop();
    gates.drop(victim);
    told.kills++;
    const { state, attempts } = await endOf(run, env);
    told.ended[state] = (told.ended[state] ?? 0) + 1;
    if (attempts > 1) told.again++;
    if (state !== 'completed') story.failed++;
    isOver = true;
    await stirring;
    await until(async () => await isWhole(cluster, victim));
    await round.calm();
    const next = (await ask(['enqueue', '--wait'], env)) as Report;
    if (next.outcome !== 'completed') story.faults.push(`the next run ended ${next.outcome}`);
    if (worker.child.exitCode !== null) story.faults.push('the worker has ended');
    round.note(next);
    await round.audit(false);
    return victim;
  } finally {
    redis.disconnect();
  }
}
