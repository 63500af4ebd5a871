/** failovers: the primary that is killed in mid-run, with or without what it wrote last; and what is to be there after the next run. */
import type { Redis } from 'ioredis';
import { Random } from '../chaos/random.ts';
import { cleanCluster } from '../support/cluster.ts';
import { type TestCluster, until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import type { Gates } from './gates.ts';
import { type MOMENTS, racerOf, Round, type Story } from './race.ts';

/** What writes. */
const WRITES = new Set(['sadd', 'renamenx', 'unlink', 'evalsha', 'srem', 'wait']);
const REPLICATED_MS = 300;
/** In ms: whatever a run does then, it is cut off. */
const LATEST_MS = 5_000;
/** Who was started anew a moment ago would else spare everybody for as long as the threshold (P10). */
const NOW = { restartGrace: false };

async function roleOf({ redis }: TestRedis): Promise<string> {
  return String(((await redis.call('ROLE')) as unknown[])[0]);
}

function running({ nodes }: TestCluster): readonly TestRedis[] {
  return nodes.filter(({ redis }) => redis.status === 'ready');
}

/** Those that say so of themselves, of all that run. */
export async function primariesOf(cluster: TestCluster): Promise<readonly TestRedis[]> {
  const asked = running(cluster).map(async (node) => ((await roleOf(node)) === 'master' ? [node] : []));
  return (await Promise.all(asked)).flat();
}

/** Whether a replica of each primary has all that was written. */
export async function areReplicated(cluster: TestCluster): Promise<boolean> {
  const primaries = await primariesOf(cluster).catch(() => []);
  if (primaries.length < 3) return false;
  const copied = primaries.map(async ({ redis }) => await isCopied(redis));
  return (await Promise.all(copied).catch(() => [false])).every((is) => is);
}

/** Whether a replica has all that was written by now, whoever wrote it: WAIT by itself goes, from 7.2 on, by what its own connection wrote. */
async function isCopied(redis: Redis): Promise<boolean> {
  const read = async () => (await redis.call('ROLE')) as [string, number, [string, string, string][]];
  const until = performance.now() + REPLICATED_MS;
  const [, offset] = await read();
  for (;;) {
    const [, , replicas = []] = await read();
    if (replicas.some(([, , taken]) => Number(taken) >= offset)) return true;
    if (performance.now() > until) return false;
    // For one more than there are it waits in vain; by that they are asked how far they are.
    await redis.wait(replicas.length + 1, 1);
  }
}

/** Whether all who run agree on three primaries that serve all slots. */
export async function isWhole(cluster: TestCluster, without: TestRedis): Promise<boolean> {
  const nodes = running(cluster).filter((node) => node !== without);
  const infos = await Promise.all(nodes.map(async ({ redis }) => String(await redis.call('CLUSTER', 'INFO'))));
  const serving = await primariesOf(cluster);
  return serving.length === 3 && infos.every((info) => info.includes('cluster_state:ok'));
}

export interface Failovers {
  kills: number;
  /** Kills that took writes along which replicas had not heard of. */
  losing: number;
  /** Runs that were cut off by them; the others had ended, or begun with the next primary. */
  cutOff: number;
}

/** Starts the one that was killed again; resolves once all replicas follow. */
export async function comeBack(cluster: TestCluster, gates: Gates, victim: TestRedis): Promise<void> {
  await cluster.comeBack(victim);
  await gates.announce(cluster.nodes.find(({ port }) => port === victim.port) as TestRedis);
  await until(async () => await areReplicated(cluster));
}

/**
 * One run during which a primary is killed, and the one after it. Resolves to whom that was.
 * @param options `moment`: when it loses what it writes from then on, and most who beat again do; left out: all is drawn
 */
export async function failOverOnce(
  cluster: TestCluster,
  gates: Gates,
  seed: number,
  story: Story,
  told: Failovers,
  coordinators: number,
  { moment, settings = {} }: { readonly moment?: (typeof MOMENTS)[number]; readonly settings?: object } = {},
): Promise<TestRedis> {
  const random = new Random(seed);
  const redis = racerOf(cluster);
  try {
    const round = new Round(cluster, redis, random, story, coordinators, async () => await areReplicated(cluster));
    await round.populate();
    await until(async () => await areReplicated(cluster));
    const victim = random.pick(await primariesOf(cluster)) as TestRedis;
    const loses = moment !== undefined || random.between(0, 2) > 0;
    // Of those who do nothing it shows what is nobody's any more.
    const hooks = round.hooks(moment, Math.ceil(coordinators / 2));
    const name = moment ?? (random.pick([...WRITES]) as string);
    const from = moment === undefined ? random.between(1, random.pick([1, 5, 30]) ?? 1) : 1;
    let calls = 0;
    let killed: Promise<void> | null = null;
    let isHeld = false;
    let late = 0;
    const mostLate = random.between(0, 20);
    const kill = async () => {
      await victim.stop();
      gates.drop(victim);
    };
    const soon = (ms: number) => {
      setTimeout(() => {
        killed ??= kill();
      }, ms);
    };
    const run = cleanCluster(cluster, {
      settings: { ...NOW, ...settings },
      ...hooks,
      before: async (call, args) => {
        await hooks.before?.(call, args);
        // It waits for replicas, or goes on without them and is well into what comes last.
        if (isHeld && (call === 'wait' || (call === 'evalsha' && ++late > mostLate))) soon(random.between(0, 100));
        if (isHeld || killed !== null || (calls === 0 && call !== name) || ++calls < from) return;
        if (loses) {
          isHeld = true;
          gates.hold(victim);
          soon(LATEST_MS);
          return;
        }
        killed ??= kill();
        await killed;
      },
    });
    const failure = await run.then(
      (report) => {
        story.swept += report.coordinators.swept;
        return null;
      },
      (error: unknown) => error,
    );
    if (failure !== null) {
      told.cutOff++;
      story.failed++;
    }
    killed ??= kill();
    await killed;
    told.kills++;
    if (isHeld) told.losing++;
    await until(async () => await isWhole(cluster, victim));
    await round.calm();
    // Whoever took over has no replica yet that could be read.
    const next = await cleanCluster(cluster, {
      settings: NOW,
      ...(random.between(0, 1) === 0 ? {} : round.hooks(undefined, Math.ceil(coordinators / 4))),
    });
    if (next.outcome !== 'completed') story.faults.push(`the next run ended ${next.outcome}`);
    round.note(next);
    await round.audit(false);
    return victim;
  } finally {
    redis.disconnect();
  }
}
