/** audit: all that is there after a run, and all that the run said, held against each world's fates. */
import { textOf } from '../../src/domain/nameText.ts';
import type { Comebacks } from './comebacks.ts';
import type { Random } from '../chaos/random.ts';
import type { Fates } from './fate.ts';
import { buffer, dumpsIn, ELSEWHERE, type Ground } from './ground.ts';
import type { Told } from './told.ts';
import type { Wishes } from './wishes.ts';
import { isGoing, isOwn, type Somebody, type State } from './world.ts';

const show = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
const STREAM = 'announced';
/** So many names that went are taken by others before what was there comes back. */
const TAKEN_ANEW = 8;

export class Audit {
  readonly wrong: string[] = [];
  /** What was there when the runs were over. */
  #left: ReadonlyMap<string, string> = new Map();

  constructor(
    private readonly ground: Ground,
    private readonly db: number,
    private readonly fates: Fates,
    private readonly comebacks: Comebacks,
    private readonly before: ReadonlyMap<string, string>,
  ) {}

  #same(what: string, is: unknown, should: unknown): void {
    const [a, b] = [is, should].map((one) => JSON.stringify(one));
    if (a !== b) this.wrong.push(`${what}: ${a}, not ${b}`);
  }

  /** After a dry run all is as it was (P7). */
  async untouched(): Promise<void> {
    this.#sameKeys('a dry run', await dumpsIn(this.ground.redis), this.before);
  }

  /** After a run that was refused all is as it was, but for what others wrote meanwhile. */
  async refused(): Promise<void> {
    const now = await dumpsIn(this.ground.redis);
    for (const [name, value] of this.before) {
      if (!now.has(name)) this.wrong.push(`a refused run took ${show(name)}`);
      else if (now.get(name) !== value && !this.comebacks.written.has(name))
        this.wrong.push(`a refused run changed ${show(name)}`);
    }
  }

  #sameKeys(when: string, now: ReadonlyMap<string, string>, then: ReadonlyMap<string, string>): void {
    for (const [name, value] of then) if (now.get(name) !== value) this.wrong.push(`${when} changed ${show(name)}`);
    for (const name of now.keys())
      if (!then.has(name) && name !== STREAM) this.wrong.push(`${when} left ${show(name)}`);
  }

  /** @param dry what a dry run before it has told; `null`: there was none */
  async after(told: readonly Told[], dry: Told | null, wishes: Wishes): Promise<void> {
    const all = await dumpsIn(this.ground.redis);
    const now = new Map([...all].filter(([name]) => !isOwn(name) || this.before.has(name)));
    this.#left = now;
    const { world } = this.fates;
    const { owned, written, ids, count } = this.comebacks;
    for (const [name, who] of owned) if (!now.has(name)) this.wrong.push(`LOST ${show(name)} of ${who}`);
    for (const [name, value] of now) {
      if (!written.has(name) && name !== STREAM && this.before.get(name) !== value)
        this.wrong.push(`changed ${show(name)}`);
    }
    const gone = [...new Set([...this.before.keys(), ...written])].filter(
      (name) => !now.has(name) || this.comebacks.gone.has(name),
    );
    const heartbeats = new Map(world.everybody.map((one) => [one.heartbeat, one]));
    const moved = (name: string) => this.fates.ownersOf(name).some(({ id }) => this.#acted(id));
    for (const name of this.before.keys()) {
      const isGone = !now.has(name);
      const beat = heartbeats.get(name);
      if (beat !== undefined) {
        if (isGone !== isGoing(beat) && !ids.has(beat.id))
          this.wrong.push(`heartbeat ${show(name)} ${beat.state} gone ${isGone}`);
        continue;
      }
      const fate = this.fates.of(name);
      const mayGo = fate === 'goes' || (fate === 'orphan' && this.#sweepsOrphan(name) !== 'no');
      const mustGo = fate === 'goes' || (fate === 'orphan' && this.#sweepsOrphan(name) === 'yes');
      const owners = JSON.stringify(this.fates.possible(name).map(({ id, swarm, state }) => [id, swarm, state]));
      if (isGone && !mayGo) this.wrong.push(`WENT ${show(name)} ${fate} ${owners}`);
      if (!isGone && mustGo && !moved(name)) this.wrong.push(`LEFT ${show(name)} ${fate} ${owners}`);
    }
    this.#names(told, gone);
    for (const one of told) this.#sums(one);
    if (wishes.announce) await this.#announced(told);
    const [one, other] = told;
    if (count === 0 && one !== undefined && other === undefined && !this.#isOpen(wishes)) {
      this.#counts(one, gone.length);
      if (dry !== null) this.#asDry(one, dry);
    }
    await this.#elsewhere();
  }

  /** Whether somebody with this id, or one that begins so, has come meanwhile. */
  #acted(id: string): boolean {
    return this.comebacks.ids.has(id);
  }

  #sweepsOrphan(name: string): 'yes' | 'no' | 'perhaps' {
    const { world } = this.fates;
    const families = this.fates.familiesOf(name);
    const listed = families.filter((family) => world.orphans.includes(family));
    if (listed.length === 0 || world.keys.get(name)?.idle !== true) return 'no';
    // A run that met no heartbeat at all sweeps no orphan; who comes may be met.
    const isAnybody = world.everybody.some(({ state }) => !state.startsWith('lapsed'));
    if (!isAnybody) return this.comebacks.count === 0 ? 'no' : 'perhaps';
    return listed.length === families.length ? 'yes' : 'perhaps';
  }

  /** What went is told by name, each once. */
  #names(told: readonly Told[], gone: readonly string[]): void {
    const deleted = told.reduce((sum, { report }) => sum + report.keys.deleted, 0);
    this.#same('deleted', deleted, gone.length);
    // Of orphans a call tells all that it was sent for.
    if (this.fates.world.orphans.length > 0) return;
    const names = told.flatMap((one) => one.names).sort();
    const [named, really] = [new Set(names), new Set(gone)];
    if (named.size !== names.length)
      this.wrong.push(`told twice ${names.filter((name, i) => name === names[i + 1]).map(show)}`);
    for (const name of named) if (!really.has(name)) this.wrong.push(`told as gone, and is there: ${show(name)}`);
    for (const name of really) if (!named.has(name)) this.wrong.push(`gone untold: ${show(name)}`);
  }

  #sums({ report, removals }: Told): void {
    const { checked, active, stale, unreadable, held, protected: spared, swept, revived, lapsed } = report.coordinators;
    this.#same('checked', checked, active + stale + unreadable + held + spared);
    this.#same('stale', stale, swept + revived);
    if (lapsed > stale || Object.values(report.coordinators).some((one) => one < 0))
      this.wrong.push(JSON.stringify(report.coordinators));
    this.#same(
      'silence',
      report.silence.reduce((sum, one) => sum + one, 0),
      checked - unreadable,
    );
    const counts = Object.values(report.keys.byFamily);
    this.#same(
      'by family',
      counts.reduce((sum, one) => sum + one, 0),
      report.keys.deleted,
    );
    this.#same('listed as swept', removals.filter((one) => one.swept).length, swept);
    if (this.fates.world.orphans.length > 0) return;
    const listed = Object.keys(report.keys.byFamily).map((_, i) =>
      removals.reduce((sum, one) => sum + (one.keys[i] ?? Number.NaN), 0),
    );
    this.#same('listed', listed, counts);
  }

  async #announced(told: readonly Told[]): Promise<void> {
    const entries = await this.ground.redis.xrange(STREAM, '-', '+');
    const text = (id: string) => textOf(Buffer.from(id, 'latin1'));
    const said = entries.flatMap(([, [, message = '']]) => {
      const { coordinators } = JSON.parse(message) as { coordinators: { id: string; swarm: string | null }[] };
      return coordinators.map(({ id, swarm }) => JSON.stringify([id, swarm ?? '']));
    });
    // Of somebody whom two runs sweep at the same moment both may count it, and one tells.
    const swept = told.flatMap(({ removals }) =>
      removals.filter((one) => one.swept).map(({ id, swarm }) => JSON.stringify([text(id), text(swarm)])),
    );
    const [isSaid, isSwept] = [new Set(said), new Set(swept)];
    this.#same('announced more than once', said.length, isSaid.size);
    for (const one of isSaid) if (!isSwept.has(one)) this.wrong.push(`announced, and not swept: ${one}`);
    for (const one of isSwept) if (!isSaid.has(one)) this.wrong.push(`swept, and not announced: ${one}`);
  }

  /** The lapsed who could own something that goes. */
  get #leftSome(): ReadonlySet<Somebody> {
    const going = [...this.fates.world.keys.keys()].filter((name) => this.fates.of(name) === 'goes');
    return new Set(going.flatMap((name) => this.fates.possible(name)).filter(({ state }) => state === 'lapsed'));
  }

  /**
   * Whether it is open who of the lapsed has left something: where all does not fit one partition it is judged before it is known
   * of a key that several could own whether it goes.
   */
  #isOpen({ memoryBudgetBytes }: Wishes): boolean {
    const leftSome = this.#leftSome;
    const shared = [...this.fates.world.keys.keys()].filter((name) => this.fates.isShared(name));
    const owners = shared.flatMap((name) => this.fates.possible(name));
    return memoryBudgetBytes !== undefined && owners.some((one) => one.state === 'lapsed' && !leftSome.has(one));
  }

  /** Who was found, where nobody came between. */
  #counts({ report }: Told, gone: number): void {
    const { world } = this.fates;
    const leftSome = this.#leftSome;
    const counted = world.everybody.filter((one) => one.state !== 'lapsed' || leftSome.has(one));
    const count = (...states: State[]) => counted.filter(({ state }) => states.includes(state)).length;
    const should = {
      checked: counted.length,
      active: count('active', 'outlasted', 'lapsedLiving'),
      stale: count('stale', 'lapsed'),
      unreadable: count('unreadable'),
      held: count('held', 'lapsedHeld'),
      protected: count('protected'),
      lapsed: count('lapsed'),
      swept: count('stale', 'lapsed'),
      revived: 0,
    };
    this.#same('coordinators', Object.entries(report.coordinators).sort(), Object.entries(should).sort());
    this.#same('found', report.keys.found, gone);
  }

  /** A dry run has told the same (P7). */
  #asDry({ report, removals }: Told, dry: Told): void {
    const told = ({ coordinators, keys, silence, unreadable, outcome, reason }: Told['report']) => ({
      coordinators: { ...coordinators, swept: 0 },
      keys: { ...keys, deleted: 0, trashed: 0 },
      silence,
      unreadable: unreadable.map(({ why, count }) => [why, count]),
      outcome,
      reason,
    });
    this.#same('a dry run', told(dry.report), told(report));
    // With whom of several a key goes is open.
    const list = (some: Told['removals']) => ({
      ids: some.flatMap(({ id, swarm, swept }) => (swept ? [JSON.stringify([id, swarm])] : [])).sort(),
      sums: Object.keys(report.keys.byFamily).map((_, i) =>
        some.reduce((sum, { keys }) => sum + (keys[i] ?? Number.NaN), 0),
      ),
    });
    this.#same('the list of a dry run', list(dry.removals), list(removals));
  }

  async #elsewhere(): Promise<void> {
    const { redis } = this.ground;
    await redis.select(ELSEWHERE);
    const { world } = this.fates;
    const names = new Set([...world.keys.keys(), ...world.everybody.map((one) => one.heartbeat)]);
    this.#same('keys of another database', await redis.dbsize(), names.size);
    await redis.select(this.db);
  }

  /** Takes some of the names that went. */
  async writeAnew(random: Random): Promise<void> {
    const gone = [...this.before.keys()].filter((name) => !this.#left.has(name));
    const taken = random.sample(gone, TAKEN_ANEW);
    const { redis } = this.ground;
    for (const name of taken) await redis.set(buffer(name), 'anew');
    const all = await dumpsIn(redis);
    this.#left = new Map([...this.#left, ...taken.map((name) => [name, all.get(name) ?? ''] as const)]);
  }

  /** What went is back as it was, unless somebody has written it anew, and that is as it was then. */
  async restored(): Promise<void> {
    const now = await dumpsIn(this.ground.redis);
    for (const [name, value] of this.#left) {
      if (now.get(name) !== value) this.wrong.push(`restored over ${show(name)}`);
    }
    for (const [name, value] of this.before) {
      if (!this.#left.has(name) && now.get(name) !== value) this.wrong.push(`not restored: ${show(name)}`);
    }
  }
}
