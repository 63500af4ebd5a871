/** fate: what DESIGN's promises say becomes of each name of a world, worked out the plain way. */
import { beatingIn, isShaped, type Owner, ownersIn, ownersNowhere } from './layouts.ts';
import { isGoing, isOwn, type Somebody, type World } from './world.ts';

/**
 * - `goes`: at least one who is stale could own it, and nobody who lives.
 * - `stays`: somebody who lives could own it, or nobody stale.
 * - `orphan`: nobody known could own it.
 * - `foreign`: no run looks at it.
 */
export type Fate = 'goes' | 'stays' | 'orphan' | 'foreign';

export class Fates {
  readonly #byId = new Map<string, Somebody[]>();
  /** Who else may beat where the name of a heartbeat can be read in several ways, none of them in the layout's form. */
  readonly #otherwise = new Map<string, Somebody[]>();
  readonly #owners = new Map<string, readonly Owner[]>();

  constructor(readonly world: World) {
    for (const one of world.everybody) {
      this.#byId.set(one.id, [...(this.#byId.get(one.id) ?? []), one]);
      if (isShaped(world.layout, one.id)) continue;
      for (const { id, swarm } of beatingIn(world.layout, one.heartbeat)) {
        if (id === one.id && swarm === one.swarm) continue;
        this.#otherwise.set(id, [...(this.#otherwise.get(id) ?? []), { ...one, id, swarm }]);
      }
    }
  }

  ownersOf(name: string): readonly Owner[] {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const owners = isOwn(name) ? [] : ownersIn(this.world.layout, name);
    this.#owners.set(name, owners);
    return owners;
  }

  /** The families it can be of. */
  familiesOf(name: string): readonly string[] {
    const shaped = this.ownersOf(name).filter(({ id }) => isShaped(this.world.layout, id));
    return [...new Set(shaped.map(({ family }) => family))];
  }

  /** Those known who could own it. */
  possible(name: string): readonly Somebody[] {
    const known = this.ownersOf(name).flatMap(({ id, swarm }) =>
      [...this.knownAs(id), ...(this.#otherwise.get(id) ?? [])].filter((one) => swarm === '' || one.swarm === swarm),
    );
    if (this.#otherwise.size === 0) return known;
    const nowhere = ownersNowhere(this.world.layout, name).flatMap(({ id, swarm }) =>
      (this.#otherwise.get(id) ?? []).filter((one) => one.swarm === swarm),
    );
    return [...known, ...nowhere];
  }

  /** Those known by this id, one in each of their swarms. */
  knownAs(id: string): readonly Somebody[] {
    return this.#byId.get(id) ?? [];
  }

  /** Whether several of those known could own it. */
  isShared(name: string): boolean {
    return new Set(this.possible(name).map(({ id }) => id)).size > 1;
  }

  of(name: string): Fate {
    const owners = this.ownersOf(name);
    if (this.familiesOf(name).length === 0) return 'foreign';
    const known = this.possible(name);
    const isSpared = owners.some(({ id }) => this.world.protect.includes(id));
    if (known.length === 0) return isSpared ? 'stays' : 'orphan';
    return known.every(isGoing) && !isSpared ? 'goes' : 'stays';
  }
}
