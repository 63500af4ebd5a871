/** race: coordinators of a cluster that beat again while a run takes what they left, and an auditor of what they then have.
 *
 * In a cluster nobody can beat and look at its things in one step. So each beats first; from its answer on, whatever it sees of its
 * things, and whatever it writes, is its own and must be there in the end (P1). And of what it had left either all is there, or nothing:
 * then it had gone before it beat, and it has seen nothing of it since.
 */
import { Cluster } from 'ioredis';
import type { Report } from '../../src/domain/report.ts';
import { Random } from '../chaos/random.ts';
import type { CleanOptions } from '../support/cleanup.ts';
import { cleanCluster, isMarker } from '../support/cluster.ts';
import type { TestCluster } from '../support/clusterServers.ts';
import { ACTIVE, beat, heartbeatOf } from '../support/world.ts';
import { drawWay, isOfWay } from '../race/ways.ts';
import { Belongings, read, sharedBy, type Thing, thingsOf, write } from './things.ts';

/** What came of some rounds. */
export interface Story {
  rounds: number;
  tries: number;
  /** How many there were right before, or right after, calls of this name. */
  readonly at: Record<string, number>;
  /** How many of them found all that they had left, and how many nothing, when the run was over. */
  whole: number;
  gone: number;
  /** How many the runs counted as revived, and as swept. */
  revived: number;
  swept: number;
  /** Of how many nobody knows what they did, since a primary was lost meanwhile. */
  unsure: number;
  /** How many runs did not end well, each of which is followed by one that does. */
  failed: number;
  /** What was lost, and what nobody came back for and is there all the same. */
  readonly faults: string[];
}

export function nothingYet(): Story {
  return {
    rounds: 0,
    tries: 0,
    at: {},
    whole: 0,
    gone: 0,
    revived: 0,
    swept: 0,
    unsure: 0,
    failed: 0,
    faults: [],
  };
}

const SILENT_MS = 3_600_000;
const LIVING = 10;
/** Moments of a run: where the one that is drawn comes, more beat again than elsewhere. */
export const MOMENTS = ['mget', 'exists', 'renamenx', 'unlink', 'evalsha', 'srem'] as const;

interface Acted {
  readonly id: string;
  readonly has: Belongings;
  /** Whether it has seen or kept anything of what it had left. */
  sawOld: boolean;
  /** What it had left and has not overwritten since. */
  readonly old: Map<string, Thing>;
  /** Whether what it did is known to outlast the loss of a primary. */
  isFirm: boolean;
}

/** One world of stale coordinators, and those who come back to it. */
export class Round {
  readonly #ids: readonly string[];
  readonly #untried: string[];
  readonly #acted: Acted[] = [];
  readonly #living = new Belongings();
  readonly #pending = new Set<Promise<void>>();
  readonly #shared: readonly Thing[];
  #acts = 0;

  /** @param settled waits until replicas have all that was written; resolves to whether they do */
  constructor(
    private readonly cluster: TestCluster,
    private readonly redis: Cluster,
    private readonly random: Random,
    private readonly story: Story,
    coordinators: number,
    private readonly settled: () => Promise<boolean> = async () => true,
  ) {
    // Of some all is in one slot.
    this.#ids = Array.from({ length: coordinators }, (_, n) => (n % 5 === 0 ? `{g${n % 7}}c${n}` : `c${n}`));
    this.#shared = this.#ids.map((id, n) => sharedBy(id, this.#ids[(n + 1) % coordinators] as string));
    this.#untried = random.sample(this.#ids, coordinators);
  }

  async populate(): Promise<void> {
    const { redis } = this;
    await this.cluster.flush();
    const at = Date.now() - SILENT_MS;
    const things = [...this.#ids.flatMap((id) => thingsOf(id)), ...this.#shared];
    await Promise.all([
      ...this.#ids.map(async (id) => await redis.set(heartbeatOf(id), beat(at, id))),
      ...things.map(async (thing) => await write(redis, thing, 'old')),
    ]);
    for (let n = 0; n < LIVING; n++) {
      const [id, value] = [`living${n}`, beat(Date.now() - ACTIVE, `living${n}`)];
      await redis.set(heartbeatOf(id), value);
      this.#living.beat(id, value);
      for (const thing of [...thingsOf(id), sharedBy(id, this.#ids[n] as string)]) {
        await write(redis, thing, 'old');
        this.#living.add(thing, ['old']);
      }
    }
  }

  /** Lets so many beat again; resolves once they have done what they do. */
  async stir(amount: number, where: string): Promise<void> {
    const { story } = this;
    await Promise.all(
      this.#untried.splice(0, Math.max(0, amount)).map(async (id) => {
        story.tries++;
        story.at[where] = (story.at[where] ?? 0) + 1;
        const act = this.#act(id);
        this.#pending.add(act);
        await act.finally(() => this.#pending.delete(act));
      }),
    );
  }

  async #act(id: string): Promise<void> {
    const { random, redis } = this;
    const value = beat(Date.now(), `${id}:${this.#acts}`);
    const element = `new ${this.#acts++}`;
    const n = this.#ids.indexOf(id);
    const shared = [this.#shared.at(n - 1) as Thing, this.#shared[n] as Thing];
    const own = thingsOf(id);
    const acted: Acted = {
      id,
      has: new Belongings(),
      sawOld: false,
      old: new Map(own.map((thing) => [thing.key, thing])),
      isFirm: false,
    };
    this.#acted.push(acted);
    const touched = random.sample([...own, ...shared], random.between(0, own.length + 1));
    try {
      await redis.set(heartbeatOf(id), value);
      acted.has.beat(id, value);
      await this.#use(acted, touched, element);
      acted.isFirm = await this.settled();
    } catch {
      // Whatever it wrote may be there, or not.
    }
    if (!acted.isFirm) this.story.unsure++;
  }

  async #use(acted: Acted, touched: readonly Thing[], element: string): Promise<void> {
    const { random, redis } = this;
    for (const thing of touched) {
      if (random.between(0, 2) < 2) {
        await write(redis, thing, element);
        acted.has.add(thing, [element]);
        if (thing.type === 'string') acted.old.delete(thing.key);
      }
      if (random.between(0, 1) === 0) {
        const seen = await read(redis, thing);
        acted.has.add(thing, seen);
        acted.sawOld ||= acted.old.has(thing.key) && seen.includes('old');
      }
    }
  }

  /** Waits for all who act. */
  async calm(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /**
   * Holds what is there against what is somebody's. Who did nothing is to be gone.
   * @param isWhole whether what one had left is there as a whole or not at all: not where a run ended in between
   */
  async audit(isWhole: boolean): Promise<void> {
    await this.calm();
    const { redis, story } = this;
    const faults = [...(await this.#living.missing(redis))];
    for (const acted of this.#acted.filter(({ isFirm }) => isFirm)) {
      const { id, has, old, sawOld } = acted;
      faults.push(...(await has.missing(redis)).map((what) => `${id}: ${what}`));
      if (old.size === 0) continue;
      const there = await Promise.all(
        [...old.values()].map(async (thing) => (await read(redis, thing)).includes('old')),
      );
      const count = there.filter((is) => is).length;
      if (count === old.size) story.whole++;
      else if (count === 0 && !sawOld) story.gone++;
      else if (isWhole) faults.push(`${id}: of ${old.size} things it left ${count} are there`);
    }
    const others = await Promise.all(
      this.#untried.map(async (id) => {
        const keys = [heartbeatOf(id), ...thingsOf(id).map(({ key }) => key)];
        const exist = await Promise.all(keys.map(async (key) => await redis.exists(key)));
        return keys.filter((_, i) => exist[i] === 1);
      }),
    );
    faults.push(...others.flat().map((key) => `nobody came back for ${key}`));
    const aside = (await this.cluster.keys()).filter(
      (key) => key.startsWith('stalesweep:') && !isMarker(key) && !isOfWay(key),
    );
    // What stood under a string's name that was written anew stays aside for a day.
    const strings = aside.filter((key) => !/:ack:[^:]*:1$|:signal:|blocking:[^:]*$/.test(key));
    faults.push(...strings.map((key) => `${key} was left aside`));
    story.faults.push(...faults);
  }

  note({ coordinators }: Report): void {
    this.story.rounds++;
    this.story.revived += coordinators.revived;
    this.story.swept += coordinators.swept;
  }

  /**
   * Hooks by which some beat again all the while, and more of them at one kind of moment.
   * @param left how many do nothing
   */
  hooks(
    moment: (typeof MOMENTS)[number] = this.random.pick(MOMENTS) ?? 'mget',
    left = 0,
  ): Pick<CleanOptions, 'before' | 'after' | 'mostInBurst'> {
    const { random } = this;
    const isBefore = random.between(0, 1) === 0;
    const mostAtOnce = random.between(1, 12);
    // In many small bursts there are many moments, and in large ones moments between large parts.
    const mostInBurst = random.pick([3, 20, 100, 500]) ?? 20;
    let calls = 0;
    // Not all of them at the first of many. What is between the second reading and the removal comes once or twice a run.
    const isRare = moment === 'unlink' || moment === 'evalsha';
    const from = isRare ? 1 : random.between(1, random.pick([1, 3, 20, 100]) ?? 1);
    const stir = async (name: string, isHere: boolean) => {
      const isMoment = name === moment && isHere && ++calls >= from;
      const amount = isMoment ? mostAtOnce : !isRare && random.between(0, 40) === 0 ? 1 : 0;
      if (amount === 0) return;
      const acts = this.stir(
        Math.min(random.between(0, amount), this.#untried.length - left),
        `${isHere === isBefore ? 'before' : 'after'} ${name}`,
      );
      if (random.between(0, 2) > 0) await acts;
    };
    return {
      mostInBurst,
      before: async (name) => await stir(name, isBefore),
      after: async (name) => await stir(name, !isBefore),
    };
  }
}

/** A connection to the cluster of whoever beats again. */
export function racerOf({ nodes }: TestCluster): Cluster {
  const redis = new Cluster(
    nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { connectionName: 'racer' }, clusterRetryStrategy: () => 50, slotsRefreshTimeout: 5_000 },
  );
  redis.on('error', () => {});
  return redis;
}

/**
 * One run, and as many tries as it leaves time for.
 * @param moment where most of them come; left out: drawn
 */
export async function raceOnce(
  cluster: TestCluster,
  seed: number,
  story: Story,
  coordinators: number,
  moment?: (typeof MOMENTS)[number],
): Promise<void> {
  const random = new Random(seed);
  const redis = racerOf(cluster);
  try {
    const round = new Round(cluster, redis, random, story, coordinators);
    await round.populate();
    const memory = random.pick([undefined, undefined, 60_000]);
    const report = await cleanCluster(cluster, {
      settings: { nice: random.between(0, 1), ...drawWay(random) },
      ...(memory === undefined ? {} : { memoryBudgetBytes: memory }),
      ...round.hooks(moment),
    });
    round.note(report);
    await round.audit(true);
  } finally {
    redis.disconnect();
  }
}
