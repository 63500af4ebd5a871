/** comebacks: those who beat again, or for the first time, while a run is under way; and what is theirs from that moment on. */
import type { Random } from '../chaos/random.ts';
import { type Fates, isGoing } from './fate.ts';
import { beatOf, buffer, type Ground } from './ground.ts';
import { isShaped, ownersIn, spell } from './layouts.ts';
import { drawStar, isOwn, type Somebody } from './world.ts';

/** One step, as a client's own: the heartbeat is there, what was seen until then is told, what is new is written. */
const COME = `
local seen = {}
for i = 1, 1 + tonumber(ARGV[3]) do seen[i] = redis.call('EXISTS', KEYS[i]) end
if ARGV[2] == 'list' then redis.call('DEL', KEYS[1]); redis.call('RPUSH', KEYS[1], ARGV[1])
elseif ARGV[2] == 'expires' then redis.call('SET', KEYS[1], ARGV[1], 'PX', 900000)
else redis.call('SET', KEYS[1], ARGV[1]) end
for i = 2 + tonumber(ARGV[3]), #KEYS do redis.call('SET', KEYS[i], ARGV[1]) end
return seen`;

/** In so many names of a call somebody is looked for. */
const MOST_LOOKED_AT = 40;

export class Comebacks {
  /** What must be there at the end, and why. */
  readonly owned = new Map<string, string>();
  /** Names that were written. */
  readonly written = new Set<string>();
  /** Names that were gone by the time that they were written anew. */
  readonly gone = new Set<string>();
  /** Whoever acted, and whose fate nobody can tell any more. */
  readonly ids = new Set<string>();
  count = 0;
  readonly #left: Somebody[];
  readonly #pending: Promise<void>[] = [];
  readonly #names: readonly string[];
  readonly #swarms: readonly string[];

  constructor(
    private readonly ground: Ground,
    private readonly db: number,
    private readonly random: Random,
    private readonly fates: Fates,
    /** So many come at most. */
    private readonly most: number,
  ) {
    const { everybody, keys } = fates.world;
    const going = everybody.filter(isGoing);
    this.#left = random.sample(going, going.length);
    this.#names = [...keys.keys()];
    // A run knows the swarms in which anybody beats, or was seen.
    this.#swarms = [...new Set(everybody.map(({ swarm }) => swarm))];
  }

  /**
   * So many, of those who are left; sometimes not awaited.
   * @param named what is about to be removed: many of them are of those who could own some of that with others
   */
  async some(count: number, named: readonly string[] = []): Promise<void> {
    const now = Array.from({ length: count }, () => this.#come(named));
    this.#pending.push(...now);
    if (this.random.between(0, 3) > 0) await Promise.all(now);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Of those who could own some of what is named, one whose heartbeat is not, where there is any. */
  #next(named: readonly string[]): Somebody | undefined {
    const { random, fates } = this;
    if (named.length > 0 && random.between(0, 3) > 0) {
      const all = new Set(named);
      const left = new Set(this.#left);
      const some = random.sample(named, MOST_LOOKED_AT).filter((name) => fates.isShared(name));
      const owners = some.flatMap((name) => fates.possible(name)).filter((one) => left.has(one));
      const unnamed = owners.filter(({ heartbeat }) => !all.has(heartbeat));
      const owner = random.pick(unnamed.length > 0 ? unnamed : owners);
      if (owner !== undefined) return this.#left.splice(this.#left.indexOf(owner), 1)[0];
    }
    return this.#left.pop();
  }

  async #come(named: readonly string[]): Promise<void> {
    const { random, fates } = this;
    const one = this.count < this.most ? this.#next(named) : undefined;
    if (one === undefined) return;
    const { layout, everybody, keys } = fates.world;
    const kind = random.pick(['again', 'again', 'again', 'elsewhere', 'born']);
    const id = kind === 'born' ? one.id.replace(/[^:]+$/, `born${this.count}`) : one.id;
    const swarm = kind === 'again' ? one.swarm : (random.pick(this.#swarms) ?? '');
    const heartbeat = spell(layout.families.heartbeat?.[0] ?? '', id, swarm, () => '');
    const isTaken = kind !== 'again' && everybody.some((other) => other.heartbeat === heartbeat);
    if (isTaken || !isShaped(layout, id) || isOwn(heartbeat)) return;
    const no = this.count++;
    this.ids.add(one.id).add(id);
    const isTheirs = (name: string) =>
      fates.ownersOf(name).some((owner) => owner.id === id && (owner.swarm === '' || owner.swarm === swarm));
    // Who beats for the first time ever owns what is written from then on.
    const seen = kind === 'born' ? [] : this.#names.filter(isTheirs);
    const templates = Object.entries(layout.families).flatMap(([family, some]) => (family === 'heartbeat' ? [] : some));
    const fresh = Array.from({ length: 3 }, (_, i) =>
      spell(random.pick(templates) ?? '', id, swarm, () => `new${no}-${i}:${drawStar(random, [one.id])}`),
    ).filter((name) => !keys.has(name) && !this.written.has(name) && ownersIn(layout, name)[0]?.family !== 'heartbeat');
    const fine = [...new Set(fresh)];
    for (const name of [heartbeat, ...fine]) this.written.add(name);
    const form = random.pick(['plain', 'expires', 'list']) ?? 'plain';
    const client = random.pick(this.ground.clients);
    const names = [heartbeat, ...seen, ...fine].map(buffer);
    await client?.select(this.db);
    const told = (await client?.eval(COME, names.length, ...names, beatOf(Date.now()), form, seen.length)) as number[];
    const [wasThere, ...there] = told;
    const hadBeat = kind === 'again' && !one.state.startsWith('lapsed');
    if (hadBeat && wasThere === 0) this.gone.add(heartbeat);
    const who = `${kind} ${JSON.stringify([id, swarm])}, was ${one.state}`;
    for (const name of [heartbeat, ...fine]) this.owned.set(name, who);
    for (const [i, name] of seen.entries()) if (there[i] === 1) this.owned.set(name, who);
  }
}
