/** large: worlds of thousands: everything that the small ones have no room for. Each is drawn from a short plan, which a failure
 * can show in a few lines, and whose first number, made smaller, leaves the same coordinators with the same keys, only fewer.
 */
import fc from 'fast-check';
import { Random } from '../chaos/random.ts';
import { type Beat, UNUSABLE, USABLE } from './beats.ts';
import { nameOf, TWISTS } from './names.ts';
import { CROSSED, FLAT, NOVICE, ownSchema, SWARM, type WrittenSchema } from './schemas.ts';
import type { PlannedKey, PlannedSighting, World } from './worlds.ts';

const MOST_COORDINATORS = 2_500;
const MOST_SIGHTINGS = 300;
/** One call of a transaction proves no more than a thousand heartbeats: three roles in all of these swarms, and then some. */
const MOST_SWARMS = 240;
/** The same where a name reads as several ids that are known. */
const MOST_SWARMS_NESTED = 60;
/** An orphan of more possible owners, in every swarm there is, is kept for the same reason. */
const MOST_SWARMS_WITH_ORPHANS = 30;
/** All of a role's heartbeats together are not to weigh more than some large ones. */
const MOST_BYTES_OF_ROLES = 40_000;

const STALE_AFTER_SECONDS = 600;
/** A large world takes its time: nobody may come to be stale meanwhile, and no key come to be idle. */
const WHILE_ACTIVE_SECONDS = 300;
const LEAST_STALE_SECONDS = 700;
const MOST_STALE_SECONDS = 100_000_000;

const ROLES = ['leader', 'worker', 'reviewer'];
/** Words that are nobody's id. */
const WORDS = ['completion', '1', 'leaders', 'leade'];

/** How the ids of a world are told apart. */
const IDS = {
  numbered: (n: number) => `c${n}`,
  pairs: (n: number) => `swarm-${Math.floor(n / 20)}:coordinator-${n}`,
  // Each is another one's beginning.
  nested: (n: number) => ['n', 'n:sub', 'n:sub:sub'][n % 3]?.replace('n', `n${Math.floor(n / 3)}`) ?? '',
  bytes: (n: number) => `\xff${String.fromCharCode(n & 31, 128 + ((n >> 5) & 127))}*`,
};

/** What a large world is drawn from. */
export interface Plan {
  readonly coordinators: number;
  /** How many are seen and have no heartbeat. */
  readonly sightings: number;
  /** How many there are, who beat in nearly every swarm. */
  readonly roles: number;
  readonly swarms: number;
  /** Of every coordinator, at most, and of every role in every swarm. */
  readonly keysEach: number;
  readonly heavyBeats: number;
  readonly heavyKeys: number;
  readonly heavyRoles: boolean;
  /** What a heavy value weighs. */
  readonly heavyBytes: number;
  /** So many of a thousand heartbeats are fresh, and can't be judged. */
  readonly active: number;
  readonly unreadable: number;
  /** Of each role's. */
  readonly activeRoles: number;
  readonly memoryEach: number | null;
  readonly withOrphans: boolean;
  readonly callBudget: World['callBudget'];
  readonly ids: keyof typeof IDS;
  readonly schema: WrittenSchema;
  readonly seed: number;
}

/** The number of coordinators is the first to be made smaller. */
export const plans: fc.Arbitrary<Plan> = fc.limitShrink(
  fc.record({
    coordinators: fc.noBias(fc.nat(MOST_COORDINATORS)),
    sightings: fc.oneof(fc.constant(0), fc.nat(MOST_SIGHTINGS)),
    roles: fc.nat(ROLES.length),
    swarms: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.noBias(fc.integer({ min: 1, max: MOST_SWARMS }))),
    keysEach: fc.nat(4),
    heavyBeats: fc.nat(4),
    heavyKeys: fc.nat(4),
    heavyRoles: fc.boolean(),
    heavyBytes: fc.constantFrom(65, 3_000, 40_000, 300_000, 3_000_000),
    active: fc.constantFrom(0, 0, 10, 500, 950),
    unreadable: fc.constantFrom(0, 0, 10),
    activeRoles: fc.constantFrom(0, 0, 5, 300),
    memoryEach: fc.constantFrom(null, null, 20, 60, 150),
    withOrphans: fc.boolean(),
    callBudget: fc.constantFrom('2ms' as const, '0.1ms' as const),
    ids: fc.constantFrom(...(Object.keys(IDS) as (keyof typeof IDS)[])),
    schema: fc.oneof(fc.constantFrom(SWARM, FLAT, NOVICE, CROSSED), ownSchema),
    seed: fc.noShrink(fc.nat()),
  }),
  100,
);

function padOf(bytes: number): string {
  return `<pad ${bytes}>`;
}

/** Everything that has no end of its own is drawn anew for each coordinator, so that the others' does not change with their number. */
class Drawing {
  readonly #keys = new Map<string, PlannedKey>();
  readonly #swarms: readonly string[];
  readonly #heartbeat: readonly string[];
  readonly #others: readonly string[];

  constructor(private readonly plan: Plan) {
    const { heartbeat = [], ...others } = plan.schema.families;
    this.#heartbeat = heartbeat;
    this.#others = Object.values(others).flat();
    const most = plan.ids === 'nested' ? MOST_SWARMS_NESTED : MOST_SWARMS;
    this.#swarms = Array.from({ length: Math.min(plan.swarms, most) }, (_, n) => `s${n}`);
  }

  get keys(): readonly PlannedKey[] {
    return [...this.#keys.values()];
  }

  get swarms(): readonly string[] {
    return this.#swarms;
  }

  idOf(n: number): string {
    return IDS[this.plan.ids](n);
  }

  swarmFor(random: Random): string {
    return random.pick(this.#swarms) ?? 's0';
  }

  random(of: string, n: number): Random {
    return new Random(this.plan.seed ^ Math.imul(n + 1, 0x9e3779b1) ^ (of.length << 20));
  }

  #add(key: PlannedKey): void {
    if (!this.#keys.has(key.name)) this.#keys.set(key.name, key);
  }

  beat(random: Random, id: string, swarm: string, active: number, padBytes: number): void {
    const lot = random.between(1, 1_000);
    const isActive = lot <= active;
    const isUnreadable = !isActive && lot <= active + this.plan.unreadable;
    const usable = random.pick(USABLE) ?? '';
    const text = isUnreadable ? (random.pick(UNUSABLE) ?? '') : usable;
    const age = isActive
      ? random.between(0, WHILE_ACTIVE_SECONDS)
      : random.between(LEAST_STALE_SECONDS, MOST_STALE_SECONDS);
    const heavy = `{"timestamp":<ms>,"pad":"${padOf(padBytes)}"}`;
    const value: Beat = { text: padBytes > 0 ? heavy : text, ageMs: age * 1000 + random.between(0, 999) };
    const recipe = { template: 0, coordinator: 0, swarm: 0, runs: [[]], twist: 'none' };
    const name = nameOf(this.#heartbeat, { ids: [id], swarms: [swarm] }, recipe);
    this.#add({ name, value, idleSeconds: 0, ttl: random.between(1, 50) === 1 ? 'long' : 'none' });
  }

  /** Some keys of somebody, of which most name others, too. */
  leave(random: Random, id: string, swarm: string, neighbour: string, padBytes: number): void {
    const amount = random.between(0, this.plan.keysEach);
    for (let i = 0; i < amount; i++) {
      const others = [neighbour, random.pick(ROLES) ?? '', random.pick(WORDS) ?? ''];
      const run = () => Array.from({ length: random.between(0, 3) }, () => random.between(-1, 3));
      const recipe = {
        template: random.between(0, 999),
        coordinator: random.between(0, 5) === 0 ? random.between(1, 3) : 0,
        swarm: random.between(0, 9) === 0 ? 1 : 0,
        runs: [run(), run()],
        twist: random.between(0, 19) === 0 ? (random.pick(Object.keys(TWISTS)) ?? 'none') : 'none',
      };
      const cast = { ids: [id, ...others], swarms: [swarm, this.swarmFor(random)] };
      const name = nameOf(this.#others, cast, recipe);
      const idleSeconds = random.pick([0, WHILE_ACTIVE_SECONDS, LEAST_STALE_SECONDS, 1_000_000]) ?? 0;
      const ttl = random.pick(['none', 'none', 'none', 'none', 'long', 'over'] as const) ?? 'none';
      if (padBytes > 0) this.#add({ name, value: { text: padOf(padBytes), ageMs: 0 }, idleSeconds: 0, ttl });
      else
        this.#add({
          name,
          value: random.pick(['string', 'string', 'hash', 'set'] as const) ?? 'string',
          idleSeconds,
          ttl,
        });
    }
  }
}

function drawCoordinators(drawing: Drawing, plan: Plan): void {
  for (let n = 0; n < plan.coordinators; n++) {
    const random = drawing.random('coordinator', n);
    const [id, swarm] = [drawing.idOf(n), drawing.swarmFor(random)];
    // The heavy ones stand apart, the first one in front: it is there when all others have been left out.
    const heavyAt = (amount: number) => n % 100 === 0 && n / 100 < amount;
    drawing.beat(random, id, swarm, plan.active, heavyAt(plan.heavyBeats) ? plan.heavyBytes : 0);
    const neighbour = drawing.idOf(n + random.between(-2, 3));
    drawing.leave(random, id, swarm, neighbour, heavyAt(plan.heavyKeys) ? plan.heavyBytes : 0);
  }
}

function drawRoles(drawing: Drawing, plan: Plan): void {
  const bytes = plan.heavyRoles ? Math.min(plan.heavyBytes, MOST_BYTES_OF_ROLES) : 0;
  for (const [n, role] of ROLES.slice(0, plan.roles).entries()) {
    for (const [at, swarm] of drawing.swarms.entries()) {
      const random = drawing.random('role', n * MOST_SWARMS + at);
      if (random.between(1, 5) > 1) drawing.beat(random, role, swarm, plan.activeRoles, bytes);
      drawing.leave(random, role, swarm, drawing.idOf(random.between(0, plan.coordinators)), 0);
    }
  }
}

function drawSightings(drawing: Drawing, plan: Plan): PlannedSighting[] {
  const inSwarms = (plan.schema.families.heartbeat ?? []).some((template) => template.includes('{swarm}'));
  return Array.from({ length: plan.sightings }, (_, n) => {
    const random = drawing.random('sighting', n);
    const [id, swarm] = [drawing.idOf(MOST_COORDINATORS + n), drawing.swarmFor(random)];
    drawing.leave(random, id, swarm, drawing.idOf(MOST_COORDINATORS + n + 1), 0);
    const ageSeconds =
      random.between(1, 1_000) <= plan.active
        ? random.between(0, WHILE_ACTIVE_SECONDS)
        : random.between(LEAST_STALE_SECONDS, 1_000_000);
    return { coordinator: id, swarm: inSwarms ? swarm : null, ageSeconds };
  });
}

/** The world that this plan means, always the same. */
export function worldOf(plan: Plan): World {
  const { schema, callBudget, memoryEach } = plan;
  const drawing = new Drawing(plan);
  drawCoordinators(drawing, plan);
  drawRoles(drawing, plan);
  const seen = drawSightings(drawing, plan);
  const many = plan.coordinators + plan.roles * drawing.swarms.length;
  const mayHaveOrphans = plan.withOrphans && drawing.swarms.length <= MOST_SWARMS_WITH_ORPHANS;
  return {
    schema,
    keys: drawing.keys,
    seen,
    crowd: null,
    orphans: mayHaveOrphans ? Object.keys(schema.families).filter((family) => family !== 'heartbeat') : [],
    staleAfterSeconds: STALE_AFTER_SECONDS,
    maxStaleFraction: 1,
    callBudget,
    memoryBudgetBytes: memoryEach === null ? undefined : Math.max(10_000, many * memoryEach),
  };
}
