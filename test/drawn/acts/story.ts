/** story: a drawn world in several acts. Between two runs time goes by, and its people beat, fall silent, lose their heartbeats, write what
 * nobody can judge, or come back; runs are dry, cut off, refused, side by side, by turns. After each all that is there is held against what
 * earlier ones must have kept of whom.
 */
import { StopWish } from '../../../src/cleanup/run.ts';
import type { Report } from '../../../src/domain/report.ts';
import type { Random } from '../../chaos/random.ts';
import { clean, targetOf } from '../../support/cleanup.ts';
import { beatOf, buffer, type Ground, pastOf } from '../ground.ts';
import { type Owner, ownersIn, schemaOf, spell } from '../layouts.ts';
import { drawStar, isOwn, STALE_AFTER, type World } from '../world.ts';
import { type Gone, giveBack, runAt, trashedIn } from './giveBack.ts';
import { beatAgain, type Comeback } from './comeback.ts';
import { afterGlance, afterLook, type Fate, fateOf, forget, passTime, type Person, standingOf } from './memory.ts';
import { shifted } from './past.ts';

/** Seconds between two acts: with those before a beat no silence is nearly the threshold, however slow a machine is. */
const STEPS = [80, 240, 320, 320, 640];
const TTL_MS = 3_600_000;
/** Of the ledger, and of the trash. */
const OURS = ['{stalesweep}', 'stalesweep:trash'];
/** So far ahead a clock is wrong, however slow the machine is. */
const AHEAD_SECONDS = 500;
const RUNS = [
  'real',
  'real',
  'comebacks',
  'comebacks',
  'dry',
  'cut',
  'stopped',
  'failing',
  'refused',
  'declined',
  'two',
] as const;
type Kind = (typeof RUNS)[number];
/** Those of which nobody knows how far they got. */
const SHORT: readonly Kind[] = ['cut', 'stopped', 'failing'];
/** Those that look at everybody and remove nothing. */
const SPARING: readonly Kind[] = ['dry', 'refused', 'declined'];

/** So many beat in the midst of a run. */
const MOST_COMEBACKS = 4;

export class Story {
  readonly wrong: string[] = [];
  readonly told: string[] = [];
  readonly people: Person[];
  swept = 0;
  #now: number;
  #names = new Set<string>();
  #written = 0;
  #comebacks: Comeback[] = [];
  readonly #owners = new Map<string, readonly Owner[]>();

  constructor(
    private readonly ground: Ground,
    private readonly random: Random,
    private readonly world: World,
    private readonly settings: {
      readonly byTransaction: boolean;
      readonly memoryBudgetBytes: number | undefined;
      /** Whether what goes can be given back. */
      readonly withTrash: boolean;
      readonly sweep?: typeof clean | undefined;
    },
  ) {
    this.#now = Math.ceil(Date.now() / 1000);
    this.people = world.everybody.map(({ id, swarm, heartbeat }) => ({
      ...{ id, swarm, heartbeat, form: null, seenAt: null, perhapsAt: null, givenAt: 0 },
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
    for (const person of this.people) passTime(person, random, this.#now);
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
    return new Set(
      names.map((name) => name.toString('latin1')).filter((name) => !OURS.some((ours) => name.startsWith(ours))),
    );
  }

  /** One act: a run of some kind, and what came of it. */
  async act(): Promise<void> {
    const kind = this.random.pick(RUNS) ?? 'real';
    this.live();
    const ahead = await this.stage();
    if (this.settings.withTrash) await this.#giveBack(ahead);
    this.told.push(`${kind} at ${this.#now}`);
    const reports = await this.#run(kind, ahead);
    const there = await this.#there();
    this.#audit(kind, there, reports);
    this.#remember(kind, there);
    this.#names = there;
  }

  async #comeBack(ahead: number): Promise<void> {
    const { random, ground } = this;
    const { layout, protect } = this.world;
    const standing = (one: Person) => standingOf(layout, one, this.#now);
    const left = this.people.filter((one) => !this.#comebacks.some(({ person }) => person === one));
    const person = random.pick(left.filter((one) => standing(one) === 'stale' && !protect.includes(one.id)));
    if (person === undefined || this.#comebacks.length >= MOST_COMEBACKS) return;
    const isTheirs = (name: string) => this.#ownersOf(name).some((owner) => this.#peopleOf(owner).includes(person));
    const names = [...this.#names].filter((name) => name !== person.heartbeat && isTheirs(name));
    const comeback: Comeback = { person, owned: [], isKnown: false };
    this.#comebacks.push(comeback);
    const value = beatOf((this.#now - ahead) * 1000);
    comeback.owned = await beatAgain(ground.redis, person.heartbeat, names, value, TTL_MS);
    const isAlone = (name: string) =>
      this.#ownersOf(name).every((owner) => this.#peopleOf(owner).every((one) => one === person));
    comeback.isKnown = comeback.owned.some((name) => isAlone(name) && this.#fateOf(name) === 'goes');
  }

  #target(url: string, more: object = {}) {
    const { layout, protect } = this.world;
    return targetOf(url, {
      ...{ schema: 'drawn', schemas: { drawn: schemaOf(layout) }, staleAfter: `${STALE_AFTER}s`, restartGrace: false },
      protect: protect.map((id) => buffer(id).toString()),
      ...{ callBudget: '0.1ms', nice: 0.01 },
      ...(this.settings.withTrash ? { trash: '1h' } : {}),
      ...more,
    });
  }

  /** Somebody of whom something lies in the trash, or a run, is given back; what comes back is what the model says. */
  async #giveBack(ahead: number): Promise<void> {
    const { ground, random } = this;
    const gone = await trashedIn(ground, ahead);
    const one = random.pick(gone);
    if (one === undefined || random.between(0, 1) === 0) return;
    const heartbeats = new Set(this.people.map(({ heartbeat }) => heartbeat));
    const owner = random.pick(this.#ownersOf(one.name).flatMap((some) => this.#peopleOf(some)));
    const isOf = ({ name, run }: Gone) =>
      owner === undefined ? run === one.run : this.#ownersOf(name).some(({ id }) => id === owner.id);
    const what = owner === undefined ? { run: one.run } : { coordinator: buffer(owner.id) };
    const wanted = gone.filter((some) => !heartbeats.has(some.name) && isOf(some));
    const due = new Set(wanted.map(({ name }) => name).filter((name) => !this.#names.has(name)));
    this.told.push(`${owner?.id ?? one.run} given back at ${this.#now}`);
    const url = ground.urlFor(this.settings.byTransaction);
    const { restored } = await giveBack(ground, this.#target(url), what, ahead);
    const there = await this.#there();
    for (const name of due) if (!there.has(name)) this.wrong.push(`${JSON.stringify(name)} did not come back`);
    if (restored !== due.size) this.wrong.push(`${restored} came back of ${due.size}`);
    for (const { name, wentAt } of wanted) {
      for (const person of this.#ownersOf(name).flatMap((some) => this.#peopleOf(some))) {
        person.givenAt = Math.max(person.givenAt, wentAt);
      }
    }
    this.#names = there;
  }

  async #run(kind: Kind, ahead: number): Promise<readonly Report[]> {
    const { ground, random, settings } = this;
    const url = ground.urlFor(settings.byTransaction);
    const target = this.#target(url, kind === 'refused' ? { maxStale: 0 } : {});
    const cut = new AbortController();
    let calls = random.between(1, random.pick([6, 30]) ?? 6);
    this.#comebacks = [];
    const before = async () => {
      if (kind === 'comebacks' && random.between(0, 5) === 0) await this.#comeBack(ahead);
      if (calls-- !== 0) return;
      if (kind === 'cut') cut.abort();
      if (kind === 'stopped') cut.abort(new StopWish('somebody stopped it'));
      if (kind === 'failing') throw new Error('the line is dead');
    };
    const { memoryBudgetBytes } = settings;
    const once = async () =>
      await (settings.sweep ?? clean)(url, {
        ...{ run: runAt(this.#now) },
        ...{ target, signal: cut.signal, dryRun: kind === 'dry', sightings: shifted(pastOf(ground), ahead) },
        ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
        ...(kind === 'declined' ? { confirm: async () => false } : {}),
        ...(SHORT.includes(kind) || kind === 'comebacks' ? { before } : {}),
      });
    const ended = await Promise.allSettled(kind === 'two' ? [once(), once()] : [once()]);
    for (const one of ended) {
      if (one.status === 'rejected' && !/interrupted|aborted|stopped|the line is dead/.test(String(one.reason)))
        throw one.reason;
    }
    const reports = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return reports.filter(({ outcome }) => outcome !== 'stopped' || kind === 'declined');
  }

  #sums(kind: Kind, reports: readonly Report[]): void {
    const removes = !SPARING.includes(kind);
    for (const { coordinators, keys } of reports) {
      const { checked, active, stale, unreadable, held, protected: spared, swept, revived } = coordinators;
      const sums = [checked - active - stale - unreadable - held - spared];
      sums.push(Math.max(0, revived - this.#comebacks.length), removes ? stale - swept - revived : swept);
      if (sums.some((one) => one !== 0)) this.wrong.push(`${kind}: ${JSON.stringify(coordinators)}`);
      if (keys.deleted > this.#names.size) this.wrong.push(`${kind}: ${JSON.stringify(keys)}`);
      this.swept += swept;
    }
  }

  #audit(kind: Kind, there: ReadonlySet<string>, reports: readonly Report[]): void {
    const { layout, protect } = this.world;
    const removes = !SPARING.includes(kind);
    const isWhole = removes && reports.length > 0;
    const beats = new Map(this.people.map((one) => [one.heartbeat, one]));
    const say = (what: string, name: string) => {
      const owners = this.#ownersOf(name).flatMap((owner) => this.#peopleOf(owner));
      const who = JSON.stringify(owners.map((one) => ({ ...one, is: standingOf(layout, one, this.#now) })));
      this.wrong.push(`${kind} at ${this.#now}: ${what} ${JSON.stringify(name)} of ${who}`);
    };
    const owned = new Set(this.#comebacks.flatMap(({ person, owned: some }) => [person.heartbeat, ...some]));
    const back = new Set(this.#comebacks.map(({ person }) => person));
    const isMoved = (name: string) =>
      this.#ownersOf(name).some((owner) => this.#peopleOf(owner).some((one) => back.has(one)));
    for (const name of owned) if (!there.has(name)) say('LOST', name);
    for (const name of this.#names) {
      const isGone = !there.has(name);
      const person = beats.get(name);
      const isStale = person && standingOf(layout, person, this.#now) === 'stale' && !protect.includes(person.id);
      const fate: Fate = person === undefined ? this.#fateOf(name) : isStale ? 'goes' : 'stays';
      if (isGone && (fate === 'stays' || !removes)) say('WENT', name);
      if (!isGone && fate === 'goes' && isWhole && !isMoved(name)) say('LEFT', name);
      if (!isGone && fate === 'goes' && person === undefined && !isMoved(name) && this.#isOrphaned(name, there))
        say('ORPHANED', name);
    }
    this.#sums(kind, reports);
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
    // Of who went because a run removed them nothing is left that may go.
    const spares = SPARING.includes(kind);
    const goes = [...there].filter((name) => spares && this.#fateOf(name) === 'goes');
    const left = new Set(goes.flatMap((name) => this.#ownersOf(name).flatMap((owner) => this.#peopleOf(owner))));
    const back = new Map(this.#comebacks.map((one) => [one.person, one]));
    const isShort = SHORT.includes(kind);
    for (const person of this.people) {
      const comeback = back.get(person);
      if (comeback !== undefined) {
        person.form = 'beat';
        person.beatAt = this.#now;
        person.perhapsAt = comeback.isKnown ? null : this.#now;
        person.seenAt = comeback.isKnown ? this.#now : null;
        continue;
      }
      const wentNow = person.form !== null && !there.has(person.heartbeat);
      if (wentNow) {
        forget(person, this.#now);
        person.form = null;
      } else if (isShort) afterGlance(layout, person, this.#now);
      else afterLook(layout, person, this.#now, left.has(person));
    }
  }
}
