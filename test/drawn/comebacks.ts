/** comebacks: those who beat again, or for the first time, while a run is under way; and what is theirs from that moment on. */
import type { Random } from '../chaos/random.ts';
import type { Fates } from './fate.ts';
import { beatOf, buffer, type Ground } from './ground.ts';
import { isShaped, ownersIn, spell } from './layouts.ts';
import { drawStar, isGoing, isOwn, nobodiesIn, type Somebody } from './world.ts';

/** One step, as a client's own: the heartbeat is there, what was seen until then is told, what is new is written. */
const COME = `
local seen = {}
for i = 1, 1 + tonumber(ARGV[3]) do seen[i] = redis.call('EXISTS', KEYS[i]) end
if ARGV[2] == 'list' then redis.call('DEL', KEYS[1]); redis.call('RPUSH', KEYS[1], ARGV[1])
elseif ARGV[2] == 'expires' then redis.call('SET', KEYS[1], ARGV[1], 'PX', 900000)
else redis.call('SET', KEYS[1], ARGV[1]) end
for i = 2 + tonumber(ARGV[3]), #KEYS do redis.call('SET', KEYS[i], ARGV[1]) end
return seen`;

/** So many come at most, but for those of whom nothing is proved; and whether most of them beat for the first time ever. */
interface ComebackWishes {
  readonly most: number;
  readonly born: boolean;
}

interface Comer {
  /** `elsewhere`: in a swarm where they were not; `born`: under an id of their own; `unheard`: under one that names held all the time. */
  readonly kind: 'again' | 'elsewhere' | 'born' | 'unheard';
  readonly id: string;
  readonly swarm: string;
  /** Who they were, or in whose neighbourhood they are born. */
  readonly was: Somebody | null;
}

const MOST_FRESH = 6;
const KINDS = ['again', 'again', 'again', 'elsewhere', 'born'] as const;
const NEWBORN = Array.from({ length: 10 }, () => 'born' as const);

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
  #left: readonly Somebody[];
  readonly #pending: Promise<void>[] = [];
  readonly #names: readonly string[];
  readonly #swarms: readonly string[];

  constructor(
    private readonly ground: Ground,
    private readonly db: number,
    private readonly random: Random,
    private readonly fates: Fates,
    private readonly wishes: ComebackWishes,
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
    const now = Array.from({ length: count }, () => this.#come(this.#drawComer(named)));
    this.#pending.push(...now);
    if (this.random.between(0, 3) > 0) await Promise.all(now);
  }

  /** Whoever is taken by surprise should all of this go now: somebody of whose silence, or absence, there may be no proof. */
  async surprised(named: readonly string[]): Promise<void> {
    await this.#come(this.#unproved(named) ?? this.#nobody(named));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Those who could own some of what is named, with others, and have not come back yet. */
  #ownersAmong(named: readonly string[]): readonly Somebody[] {
    const { fates } = this;
    const left = new Set(this.#left);
    const shared = named.filter((name) => fates.world.keys.has(name) && fates.isShared(name));
    return shared.flatMap((name) => fates.possible(name)).filter((one) => left.has(one));
  }

  /** Whoever removes what is named without naming this heartbeat has no proof that its owner is silent: where there is one, it comes. */
  #unproved(named: readonly string[]): Comer | undefined {
    const { fates } = this;
    const all = new Set(named);
    const left = new Set(this.#left);
    const going = named.filter((name) => fates.world.keys.has(name) && fates.of(name) === 'goes');
    const comers = going.flatMap((name) =>
      fates.ownersOf(name).flatMap((owner) =>
        this.#swarms
          .filter((swarm) => owner.swarm === '' || owner.swarm === swarm)
          .flatMap((swarm): Comer[] => {
            const was = fates.knownAs(owner.id).find((one) => left.has(one));
            if (was === undefined || this.ids.has(owner.id) || all.has(this.#heartbeatOf({ id: owner.id, swarm })))
              return [];
            const here = fates.knownAs(owner.id).find((one) => one.swarm === swarm);
            return [{ kind: here === undefined ? 'elsewhere' : 'again', id: owner.id, swarm, was: here ?? was }];
          }),
      ),
    );
    return this.random.pick(comers);
  }

  #next(named: readonly string[]): Somebody | undefined {
    const owner = this.random.between(0, 3) > 0 ? this.random.pick(this.#ownersAmong(named)) : undefined;
    return owner ?? this.random.pick(this.#left);
  }

  /** Of those under whose id nobody beat, one whose absence is proved right now, so that what is nobody's can go. */
  #nobody(named: readonly string[]): Comer | undefined {
    const { world } = this.fates;
    if (world.orphans.length === 0 || this.random.between(0, 1) === 0) return undefined;
    const all = new Set(named);
    const some = nobodiesIn(world.layout).flatMap((id) => this.#swarms.map((swarm) => ({ id, swarm })));
    const one = this.random.pick(some.filter((nobody) => all.has(this.#heartbeatOf(nobody))));
    return one && { kind: 'unheard', ...one, was: null };
  }

  /** Who comes, by whom they were, if anybody does. */
  #drawComer(named: readonly string[]): Comer | undefined {
    const { random, wishes } = this;
    if (this.count >= wishes.most) return undefined;
    const was = this.#next(named);
    if (was === undefined) return undefined;
    const kind = random.pick([...KINDS, ...(wishes.born ? NEWBORN : [])]) ?? 'again';
    const id = kind === 'born' ? was.id.replace(/[^:]+$/, `born${this.count}`) : was.id;
    return { kind, id, swarm: kind === 'again' ? was.swarm : (random.pick(this.#swarms) ?? ''), was };
  }

  #heartbeatOf({ id, swarm }: Pick<Comer, 'id' | 'swarm'>): string {
    return spell(this.fates.world.layout.families.heartbeat?.[0] ?? '', id, swarm, () => '');
  }

  /** What was there before and is theirs once they have beaten. */
  #namesOf({ kind, id, swarm }: Comer): readonly string[] {
    const { fates } = this;
    // Who beats for the first time ever owns what is written from then on, and what nobody else could own.
    if (kind === 'born') return [];
    const isTheirs = (name: string) =>
      fates.ownersOf(name).some((owner) => owner.id === id && (owner.swarm === '' || owner.swarm === swarm));
    return this.#names.filter((name) => isTheirs(name) && (kind !== 'unheard' || fates.of(name) === 'orphan'));
  }

  /** Names that they write; those of the newborn name somebody stale besides, wherever they can. */
  #drawFresh({ kind, id, swarm, was }: Comer): readonly string[] {
    const { random, count } = this;
    const { layout, keys } = this.fates.world;
    const all = Object.entries(layout.families).flatMap(([family, some]) => (family === 'heartbeat' ? [] : some));
    const wild = kind === 'born' ? all.filter((template) => template.includes('*')) : [];
    const templates = wild.length > 0 ? wild : all;
    const fresh = Array.from({ length: wild.length > 0 ? MOST_FRESH : 3 }, (_, i) =>
      spell(random.pick(templates) ?? '', id, swarm, () => `new${count}-${i}:${drawStar(random, [was?.id ?? id])}`),
    );
    return [...new Set(fresh)].filter(
      (name) => !keys.has(name) && !this.written.has(name) && ownersIn(layout, name)[0]?.family !== 'heartbeat',
    );
  }

  async #come(comer: Comer | undefined): Promise<void> {
    const { random, fates } = this;
    if (comer === undefined) return;
    const { kind, id, swarm, was } = comer;
    // Beside a newborn whoever was there is as silent as before.
    if (kind !== 'born') this.#left = this.#left.filter((one) => one !== was);
    const heartbeat = this.#heartbeatOf(comer);
    const isTaken = kind !== 'again' && fates.world.everybody.some((other) => other.heartbeat === heartbeat);
    if (isTaken || this.written.has(heartbeat) || !isShaped(fates.world.layout, id) || isOwn(heartbeat)) return;
    const [seen, fresh] = [this.#namesOf(comer), this.#drawFresh(comer)];
    this.count++;
    this.ids.add(id);
    for (const name of [heartbeat, ...fresh]) this.written.add(name);
    const form = random.pick(['plain', 'expires', 'list']) ?? 'plain';
    const client = random.pick(this.ground.clients);
    const names = [heartbeat, ...seen, ...fresh].map(buffer);
    await client?.select(this.db);
    const told = (await client?.eval(COME, names.length, ...names, beatOf(Date.now()), form, seen.length)) as number[];
    const [wasThere, ...there] = told;
    const hadBeat = kind === 'again' && was?.state === 'stale';
    if (hadBeat && wasThere === 0) this.gone.add(heartbeat);
    const who = `${kind} ${JSON.stringify([id, swarm])}, was ${was?.state ?? 'nobody'}`;
    for (const name of [heartbeat, ...fresh]) this.owned.set(name, who);
    for (const [i, name] of seen.entries()) if (there[i] === 1) this.owned.set(name, who);
  }
}
