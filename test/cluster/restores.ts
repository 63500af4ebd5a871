/** restores: what comes back from the trash of a cluster while slots go from node to node, and a primary is killed and its replica promoted. */
import { slotOfText } from '../../src/redis/cluster/calls/slots.ts';
import { restore } from '../../src/restore/restore.ts';
import { Random } from '../chaos/random.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster } from '../support/cluster.ts';
import { type TestCluster, until } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { mendSlots, MoveSteps } from '../support/slotMoves.ts';
import { beat, heartbeatOf } from '../support/world.ts';
import { areReplicated, isWhole, primariesOf } from './failovers.ts';
import { moveSlots } from './moves.ts';
import { thingsOf, write } from './things.ts';

const SETTINGS = { trash: '1h', restartGrace: false };
const SILENT_MS = 3_600_000;
const PRIMARIES = 3;

export interface Restores {
  rounds: number;
  moves: number;
  /** Of moves that a kill cut off: how many steps of them were done. */
  steps: number;
  kills: number;
  /** Keys that were to come back. */
  keys: number;
  /** How many of them the first restore brought; the others the next one did. */
  first: number;
  /** How often the first one failed, by what it said. */
  readonly said: Record<string, number>;
  readonly faults: string[];
}

async function dumpsOf({ redis }: TestCluster, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const dumps = names.map(async (name) => [name, (await redis.dumpBuffer(name))?.toString('hex') ?? ''] as const);
  return new Map(await Promise.all(dumps));
}

/** What happens while things come back: slots move, a primary is killed, or that in the midst of a move. */
export type Trouble = 'moves' | 'kill' | 'both';

/** What a run swept comes back by a restore in the midst of all that, and by the next one; each key as it was, and once. */
export async function restoreOnce(cluster: TestCluster, seed: number, told: Restores, trouble: Trouble): Promise<void> {
  const kills = trouble !== 'moves';
  const random = new Random(seed);
  await cluster.flush();
  const ids = Array.from({ length: kills ? 600 : 150 }, (_, n) => (n % 5 === 0 ? `{g${n % 7}}c${n}` : `c${n}`));
  const things = ids.flatMap((id) => thingsOf(id));
  const names = [...ids.map((id) => heartbeatOf(id)), ...things.map(({ key }) => key)];
  await Promise.all([
    ...ids.map(async (id) => await cluster.redis.set(heartbeatOf(id), beat(Date.now() - SILENT_MS, id))),
    ...things.map(async (thing) => await write(cluster.redis, thing, `of ${thing.key}`)),
  ]);
  const before = await dumpsOf(cluster, names);
  const run = `run-${seed}`;
  await cleanCluster(cluster, { settings: SETTINGS, run });
  await until(async () => await areReplicated(cluster));
  const target = targetOf(cluster.url, SETTINGS);
  const bring = async () => await restore(target, { run }, { heartbeats: true });

  let isOver = false;
  const slots = [...new Set(names.map(slotOfText))];
  const steps = new MoveSteps();
  const goesOn = () => !isOver;
  const moving =
    trouble === 'kill'
      ? Promise.resolve(0)
      : moveSlots(cluster, await primariesOf(cluster), new Random(seed + 1), slots, goesOn, kills ? steps : null);
  // What is cut off ends half way.
  const moved = kills ? moving.catch(() => 0) : moving;
  const first = bring().catch((error: unknown) => {
    const sentence = String(error).replaceAll(/\d+/g, 'n');
    told.said[sentence] = (told.said[sentence] ?? 0) + 1;
    return null;
  });
  let victim: TestRedis | null = null;
  if (kills) {
    victim = random.pick(await primariesOf(cluster)) as TestRedis;
    // In the midst of it: some are back, and the heartbeats, which come last, are not.
    const one = random.pick(things)?.key ?? '';
    await until(async () => (await cluster.redis.exists(one)) === 1);
    await steps.end();
    isOver = true;
    await victim.stop();
    told.kills++;
  }
  const brought = await first;
  isOver = true;
  const lost = victim;
  if (lost !== null) {
    await until(async () => (await primariesOf(cluster)).length === PRIMARIES);
    await mendSlots(cluster, steps.slots);
    await until(async () => await isWhole(cluster, lost));
    await cluster.comeBack(lost);
    await until(async () => await areReplicated(cluster));
  }
  told.moves += await moved;
  told.steps += steps.count;
  const next = await bring();
  const after = await dumpsOf(cluster, names);
  for (const [name, dump] of before) {
    if (after.get(name) !== dump) told.faults.push(`${name} is ${after.get(name) === '' ? 'lost' : 'another'}`);
  }
  // Times to live are noted for as long as the trash is kept; the word of a restore that failed stays for a minute.
  const left = (await cluster.keys()).filter((key) => /^stalesweep:(?!trash-ttl:|asides:)/.test(key));
  told.faults.push(...left.map((key) => `${key} is left`));
  // What a failover takes back comes back twice, to where it was.
  const sum = (brought?.restored ?? 0) + next.restored;
  if (brought !== null && !kills && sum !== names.length) told.faults.push(`${sum} of ${names.length} came back`);
  told.rounds++;
  told.keys += names.length;
  told.first += brought?.restored ?? 0;
}
