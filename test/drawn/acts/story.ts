/** story: a drawn world in several acts. Between two runs time goes by, and its people beat, fall silent, lose their heartbeats, write what
 * nobody can judge, or come back; runs are dry, cut off, refused, side by side, by turns. After each all that is there is held against what
 * earlier ones must have kept of whom.
 */
import type { Sighting, Sightings } from '../../../src/domain/sighting.ts';
import type { Report } from '../../../src/domain/report.ts';
import type { Random } from '../../chaos/random.ts';
import { clean, targetOf } from '../../support/cleanup.ts';
import { beatOf, buffer, type Ground, pastOf } from '../ground.ts';
import { type Owner, ownersIn, schemaOf, spell } from '../layouts.ts';
import { drawStar, isOwn, STALE_AFTER, type World } from '../world.ts';
import { afterGlance, afterLook, type Fate, fateOf, forget, type Person, standingOf } from './memory.ts';

/** Seconds between two acts, and from a beat to the next run: no silence is nearly the threshold, however slow a machine is. */
const STEPS = [80, 240, 320, 320, 640];
const BEFORE = 20;
const TTL_MS = 3_600_000;
const SIGHTINGS = '{stalesweep}';
/** So far ahead a clock is wrong, however slow the machine is. */
const AHEAD_SECONDS = 500;
const RUNS = ['real', 'real', 'real', 'dry', 'cut', 'failing', 'refused', 'two'] as const;
type Kind = (typeof RUNS)[number];

/** What earlier runs saw, moved to where it lies seen from the server's clock. */
function shifted(past: Sightings, ahead: number): Sightings {
  return {
    async *earlier() {
      for await (const some of past.earlier()) {
        yield (function* (): Generator<Sighting> {
          for (const one of some) yield { ...one, beatAtSeconds: one.beatAtSeconds - ahead };
        })();
      }
    },
    see: (id, swarm, beatAtSeconds) => past.see(id, swarm, beatAtSeconds + ahead),
    keep: async () => await past.keep(),
  };
}

export class Story {
  readonly wrong: string[] = [];
  readonly told: string[] = [];
  readonly people: Person[];
  swept = 0;
  #now: number;
  #names = new Set<string>();
  #written = 0;
  readonly #owners = new Map<string, readonly Owner[]>();

  constructor(
    private readonly ground: Ground,
    private readonly random: Random,
    private readonly world: World,
    private readonly settings: { readonly byTransaction: boolean; readonly memoryBudgetBytes: number | undefined },
  ) {
    this.#now = 1_700_000_000;
    this.people = world.everybody.map(({ id, swarm, heartbeat }) => ({
      ...{ id, swarm, heartbeat, form: null, seenAt: null, perhapsAt: null },
      beatAt: this.#now,
    }));
  }

  #ownersOf(name: string): readonly Owner[] {
    const known = this.#owners.get(name) ?? (isOwn(name) ? [] : ownersIn(this.world.layout, name));
    this.#owners.set(name, known);
    return known;
  }

  #peopleOf({ id, swarm }: Owner): readonly Person[] {
    return this.people.filter((one) => one.id === id && (swarm === '' || one.swarm === swarm));
  }

  #fateOf(name: string): Fate {
    const { layout, protect } = this.world;
    return fateOf(layout, protect, this.#ownersOf(name), (owner) =>
      this.#peopleOf(owner).map((one) => standingOf(layout, one, this.#now)),
    );
  }

  /** Some act, and time goes by. */
  live(): void {
    const { random } = this;
    this.#now += random.pick(STEPS) ?? 0;
    for (const person of this.people) {
      const act = random.pick(['beat', 'beat', 'beat', 'still', 'still', 'still', 'still', 'lose', 'lose', 'blur']);
      if (act === 'beat' || (act === 'blur' && person.form === null)) {
        person.form = 'beat';
        person.beatAt = this.#now - BEFORE - random.between(0, 4);
      } else if (act === 'lose') person.form = null;
      else if (act === 'blur') person.form = random.pick(['ahead', 'none'] as const) ?? 'none';
    }
  }

  /** Those who beat write, alone and with others. */
  #write(): Map<string, string> {
    const { random } = this;
    const { layout } = this.world;
    const templates = Object.entries(layout.families).flatMap(([family, some]) => (family === 'heartbeat' ? [] : some));
    const ids = this.people.map(({ id }) => id);
    const fresh = new Map<string, string>();
    for (const { id, swarm, form } of this.people) {
      if (form === null || random.between(0, 1) === 0) continue;
      const name = spell(random.pick(templates) ?? '', id, swarm, () => drawStar(random, ids));
      if (this.#ownersOf(name)[0]?.family !== 'heartbeat') fresh.set(name, `v${this.#written++}`);
    }
    return fresh;
  }

  /** Puts it on the server; what the story's time is ahead of the server's. */
  async stage(): Promise<number> {
    const { redis } = this.ground;
    const [seconds] = await redis.time();
    const ahead = this.#now - Number(seconds);
    const writes = redis.pipeline();
    for (const { heartbeat, form, beatAt } of this.people) {
      const at = ((form === 'ahead' ? this.#now + AHEAD_SECONDS : beatAt) - ahead) * 1000;
      if (form === null) writes.unlink(buffer(heartbeat));
      else writes.set(buffer(heartbeat), form === 'none' ? 'none' : beatOf(at), 'PX', TTL_MS);
    }
    for (const [name, value] of this.#write()) writes.set(buffer(name), value);
    for (const [error] of (await writes.exec()) ?? []) if (error) throw error;
    this.#names = await this.#there();
    return ahead;
  }

  async #there(): Promise<Set<string>> {
    const names = (await this.ground.redis.callBuffer('KEYS', '*')) as Buffer[];
    return new Set(names.map((name) => name.toString('latin1')).filter((name) => !name.startsWith(SIGHTINGS)));
  }

  /** One act: a run of some kind, and what came of it. */
  async act(): Promise<void> {
    const kind = this.random.pick(RUNS) ?? 'real';
    this.live();
    const ahead = await this.stage();
    this.told.push(`${kind} at ${this.#now}`);
    const reports = await this.#run(kind, ahead);
    const there = await this.#there();
    this.#audit(kind, there, reports);
    this.#remember(kind, there);
    this.#names = there;
  }

  async #run(kind: Kind, ahead: number): Promise<readonly Report[]> {
    const { ground, random, world, settings } = this;
    const { layout, protect } = world;
    const url = ground.urlFor(settings.byTransaction);
    const target = targetOf(url, {
      ...{ schema: 'drawn', schemas: { drawn: schemaOf(layout) }, staleAfter: `${STALE_AFTER}s`, restartGrace: false },
      protect: protect.map((id) => buffer(id).toString()),
      ...(kind === 'refused' ? { maxStale: 0 } : {}),
      ...{ callBudget: '0.1ms', nice: 0.01 },
    });
    const cut = new AbortController();
    let calls = random.between(1, random.pick([6, 30]) ?? 6);
    const before = () => {
      if (calls-- !== 0) return;
      if (kind === 'cut') cut.abort();
      if (kind === 'failing') throw new Error('the line is dead');
    };
    const { memoryBudgetBytes } = settings;
    const once = async () =>
      await clean(url, {
        ...{ target, signal: cut.signal, dryRun: kind === 'dry', sightings: shifted(pastOf(ground), ahead) },
        ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
        ...(kind === 'cut' || kind === 'failing' ? { before } : {}),
      });
    const ended = await Promise.allSettled(kind === 'two' ? [once(), once()] : [once()]);
    for (const one of ended) {
      if (one.status === 'rejected' && !/was interrupted|the line is dead/.test(String(one.reason))) throw one.reason;
    }
    return ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  #audit(kind: Kind, there: ReadonlySet<string>, reports: readonly Report[]): void {
    const { layout, protect } = this.world;
    const removes = kind !== 'dry' && kind !== 'refused';
    const isWhole = removes && reports.length > 0;
    const beats = new Map(this.people.map((one) => [one.heartbeat, one]));
    const say = (what: string, name: string) => {
      const owners = this.#ownersOf(name).flatMap((owner) => this.#peopleOf(owner));
      const who = JSON.stringify(owners.map((one) => ({ ...one, is: standingOf(layout, one, this.#now) })));
      this.wrong.push(`${kind} at ${this.#now}: ${what} ${JSON.stringify(name)} of ${who}`);
    };
    for (const name of this.#names) {
      const isGone = !there.has(name);
      const person = beats.get(name);
      const isStale = person && standingOf(layout, person, this.#now) === 'stale' && !protect.includes(person.id);
      const fate: Fate = person === undefined ? this.#fateOf(name) : isStale ? 'goes' : 'stays';
      if (isGone && (fate === 'stays' || !removes)) say('WENT', name);
      if (!isGone && fate === 'goes' && isWhole) say('LEFT', name);
      if (!isGone && fate === 'goes' && person === undefined && this.#isOrphaned(name, there)) say('ORPHANED', name);
    }
    for (const { coordinators, keys } of reports) {
      const { checked, active, stale, unreadable, held, protected: spared, swept, revived } = coordinators;
      const sums = [checked - active - stale - unreadable - held - spared, revived];
      if (removes) sums.push(stale - swept);
      if (sums.some((one) => one !== 0)) this.wrong.push(`${kind}: ${JSON.stringify(coordinators)}`);
      this.swept += swept;
      if (keys.deleted > this.#names.size) this.wrong.push(`${kind}: ${JSON.stringify(keys)}`);
    }
  }

  /** Whether all by whom it would be found again are gone (P3): who has no heartbeat any more is found by what was kept. */
  #isOrphaned(name: string, there: ReadonlySet<string>): boolean {
    const { layout } = this.world;
    const stale = this.#ownersOf(name)
      .flatMap((owner) => this.#peopleOf(owner))
      .filter((one) => standingOf(layout, one, this.#now) === 'stale');
    return stale.every(({ form, heartbeat }) => form !== null && !there.has(heartbeat));
  }

  #remember(kind: Kind, there: ReadonlySet<string>): void {
    const { layout } = this.world;
    const goes = [...there].filter((name) => this.#fateOf(name) === 'goes');
    const left = new Set(goes.flatMap((name) => this.#ownersOf(name).flatMap((owner) => this.#peopleOf(owner))));
    for (const person of this.people) {
      const wentNow = person.form !== null && !there.has(person.heartbeat);
      if (wentNow) {
        forget(person, this.#now);
        person.form = null;
      } else if (kind === 'cut' || kind === 'failing') afterGlance(layout, person, this.#now);
      else afterLook(layout, person, this.#now, left.has(person));
    }
  }
}
