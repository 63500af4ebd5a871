/** race: coordinators that come back, or are born, while a run removes what they left; and an auditor of what they then have.
 *
 * Everything one does is a single step in Redis: it beats, looks which of the keys there could be its own, and writes others.
 * What it saw and what it wrote is its own from then on, and must be there, as it was, when the run is over (P1).
 */
import type { Redis } from 'ioredis';
import { Random } from '../chaos/random.ts';
import { clean } from '../support/cleanup.ts';
import type { TestRedis } from '../support/redis.ts';
import { ACTIVE, beat, belongingsOf, everythingOf, heartbeatOf, nowOf, settle, writeAll } from '../support/world.ts';
import { drawWay } from './ways.ts';

/**
 * - `revived`: it beats where it is stale. `elsewhere`: in a swarm where it never was.
 * - `role`: one that is stale in many swarms beats in one of the others.
 * - `longer`: one whose id is another one's and a segment more, who never beat before.
 */
export type Kind = 'revived' | 'elsewhere' | 'role' | 'longer';

/** What came of some rounds. */
export interface Story {
  rounds: number;
  readonly tries: Record<Kind, number>;
  /** How many of them met the stale heartbeat of the same id, there or in another swarm. */
  met: number;
  /** How many the runs counted as revived. */
  revived: number;
  swept: number;
  /** How many keys were somebody's when a run was over. */
  audited: number;
  /** Those of them that were not there, or not as they had been. */
  readonly losses: string[];
}

/** A story of nothing yet. */
export function nothingYet(): Story {
  return {
    rounds: 0,
    tries: { revived: 0, elsewhere: 0, role: 0, longer: 0 },
    met: 0,
    revived: 0,
    swept: 0,
    audited: 0,
    losses: [],
  };
}

/** How many tries a story tells of. */
export function triesIn({ tries }: Story): number {
  return Object.values(tries).reduce((sum, count) => sum + count, 0);
}

const COORDINATORS = 1_200;
const ROLES = ['leader', 'worker'];
const CONNECTIONS = 3;
const SILENT_MS = 3_600_000;

/**
 * KEYS the heartbeat, `ARGV[3]` stale heartbeats of the same id, `ARGV[4]` keys to look at, then keys to write
 * ARGV the beat, what to write, the two numbers
 * RETURNS how many of the stale ones stood, then the values that were seen
 */
const ACT = `
  local stale, seen, looked = tonumber(ARGV[3]), tonumber(ARGV[4]), {0}
  for i = 2, 1 + stale do looked[1] = looked[1] + redis.call('EXISTS', KEYS[i]) end
  redis.call('SET', KEYS[1], ARGV[1])
  for i = 2 + stale, 1 + stale + seen do looked[#looked + 1] = redis.call('GET', KEYS[i]) end
  for i = 2 + stale + seen, #KEYS do redis.call('SET', KEYS[i], ARGV[2]) end
  return looked`;

/** Somebody stale, in one or more swarms. */
interface Stale {
  readonly id: string;
  readonly swarms: readonly string[];
  readonly shared: readonly string[];
}

class Round {
  /** What must be there, and who has it. */
  readonly #owned = new Map<string, { readonly value: string; readonly by: string }>();
  readonly #swarms: readonly string[];
  readonly #stale: readonly Stale[];
  readonly #untried: Stale[];
  readonly #pending: Promise<void>[] = [];
  #acts = 0;

  constructor(
    private readonly server: TestRedis,
    private readonly connections: readonly Redis[],
    private readonly random: Random,
    private readonly story: Story,
  ) {
    this.#swarms = Array.from({ length: random.between(2, 12) }, (_, n) => `s${n}`);
    const ids = Array.from({ length: COORDINATORS }, (_, n) => (n % 5 === 4 ? `c${n - 1}:sub` : `c${n}`));
    const coordinators = ids.map((id, n) => ({
      id,
      swarms: random.sample(this.#swarms, random.between(0, 9) === 0 ? 2 : 1),
      // Two neighbours' each; whether one or both come back is drawn.
      shared: [n - 1, n].map((at) => this.#sharedBy(ids.at(at) ?? '', ids[(at + 1) % ids.length] ?? '')),
    }));
    const roles = ROLES.map((id) => ({ id, swarms: this.#swarms.slice(0, -1), shared: [] }));
    this.#stale = [...coordinators, ...roles];
    this.#untried = random.sample(this.#stale, this.#stale.length);
  }

  #sharedBy(one: string, other: string): string {
    return `blocking:idempotency:${one}:${other}:completion:1:1760000000000`;
  }

  async populate(): Promise<void> {
    const { redis } = this.server;
    await redis.flushall();
    const at = (await nowOf(redis)) - SILENT_MS;
    const world: Record<string, string> = {};
    for (const { id, swarms, shared } of this.#stale) {
      for (const swarm of swarms) {
        for (const key of belongingsOf(id, swarm)) world[key] = 'old';
        world[heartbeatOf(id, swarm)] = beat(at, id);
      }
      for (const key of shared) world[key] = 'old';
    }
    await writeAll(redis, world);
    for (const swarm of this.#swarms) await settle(redis, `living-${swarm}`, ACTIVE, swarm);
  }

  /** Lets some act, now or while the run goes on; among them some who never beat before. */
  async stir(mostAtOnce: number): Promise<void> {
    const { random } = this;
    const amount = random.between(0, mostAtOnce);
    const acts = this.#untried.splice(0, amount).map(async (one) => await this.#act(one));
    this.#pending.push(...acts);
    if (random.between(0, 1) === 0) await Promise.all(acts);
  }

  async #act(one: Stale): Promise<void> {
    const { random } = this;
    const role = ROLES.includes(one.id);
    const never = this.#swarms.filter((swarm) => !one.swarms.includes(swarm));
    const kind: Kind = role ? 'role' : (random.pick(['revived', 'elsewhere', 'longer'] as const) ?? 'revived');
    this.story.tries[kind]++;
    const longer = kind === 'longer';
    const id = longer ? `${one.id}:born` : one.id;
    const swarm = random.pick(kind === 'revived' || never.length === 0 ? one.swarms : never) ?? 's0';
    const fresh = `new ${this.#acts++}`;
    const written = [
      `blocking:signal:${id}`,
      `blocking:ack:${id}:new`,
      `blocking:idempotency:${id}:completion:${this.#acts}`,
      `swarm:${swarm}:blocking:${id}`,
    ];
    const here = one.swarms.includes(swarm);
    const own = here ? everythingOf(id, swarm).slice(1) : belongingsOf(id, swarm).slice(0, 4);
    const seen = longer ? [] : [...own, ...one.shared].filter((name) => !written.includes(name));
    const heartbeats = longer ? [] : one.swarms.map((where) => heartbeatOf(id, where));
    const heartbeat = heartbeatOf(id, swarm);
    const redis = random.pick(this.connections) ?? this.server.redis;
    const value = beat(await this.#now, id);
    const keys = [heartbeat, ...heartbeats, ...seen, ...written];
    const reply = await redis.eval(ACT, keys.length, ...keys, value, fresh, heartbeats.length, seen.length);
    const [stood, ...values] = reply as [number, ...(string | null)[]];
    if (stood > 0) this.story.met++;
    const by = `${kind} ${id} in ${swarm}`;
    for (const [at, name] of seen.entries()) {
      const was = values[at];
      if (typeof was === 'string' && !this.#owned.has(name)) this.#owned.set(name, { value: was, by });
    }
    for (const name of written) this.#owned.set(name, { value: fresh, by });
    this.#owned.set(heartbeat, { value, by });
  }

  get #now(): Promise<number> {
    return nowOf(this.server.redis);
  }

  /** Holds what is there against what is somebody's. Who did nothing is to be gone. */
  async audit(): Promise<string[]> {
    await Promise.all(this.#pending);
    const { redis } = this.server;
    const names = [...this.#owned.keys()];
    const values = names.length > 0 ? await redis.mget(names) : [];
    this.story.audited += names.length;
    const losses = names.flatMap((name, at) => {
      const { value, by } = this.#owned.get(name) ?? { value: '', by: '' };
      return values[at] === value ? [] : [`${by}: ${name} was ${value}, is ${values[at]}`];
    });
    this.story.losses.push(...losses);
    const idle = this.#untried.flatMap(({ id, swarms }) => [
      `blocking:signal:${id}`,
      ...swarms.map((swarm) => heartbeatOf(id, swarm)),
    ]);
    return idle.length === 0
      ? []
      : (await redis.mget(idle)).flatMap((value, at) => (value === null ? [] : [idle[at] ?? '']));
  }
}

/** One run at the Redis of this address, and as many tries as it leaves time for; what it left though nobody came back for it. */
export async function raceOnce(
  server: TestRedis,
  url: string,
  strategy: 'script' | 'transaction',
  seed: number,
  story: Story,
): Promise<string[]> {
  const random = new Random(seed);
  const connections = Array.from({ length: CONNECTIONS }, () => server.redis.duplicate({ connectionName: 'racer' }));
  try {
    const round = new Round(server, connections, random, story);
    await round.populate();
    // Beside a transaction, which is undone by whatever touches it, fewer at once.
    const mostAtOnce = strategy === 'script' ? random.between(1, 24) : random.between(1, 6);
    const memory = random.pick([undefined, undefined, 60_000, 200_000]);
    const stir = async () => await round.stir(mostAtOnce);
    const report = await clean(url, {
      settings: {
        // Each filling of little memory may cost a pass over all heartbeats, which many small pages make long.
        callBudget: memory === 60_000 ? '10ms' : random.pick(['0.1ms', '0.5ms', '2ms']),
        nice: random.between(0, 1),
        ...drawWay(random),
      },
      ...(memory === undefined ? {} : { memoryBudgetBytes: memory }),
      before: stir,
      after: stir,
    });
    if (report.strategy !== strategy) throw new Error(`went by ${report.strategy}, not by ${strategy}`);
    story.rounds++;
    story.revived += report.coordinators.revived;
    story.swept += report.coordinators.swept;
    return await round.audit();
  } finally {
    for (const connection of connections) connection.disconnect();
  }
}
