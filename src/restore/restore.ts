/** restore: brings back from a target's trash what was swept.
 *
 *      what of it is in the trash ──▶ back, chunk by chunk, heartbeats last
 *
 *  Owns      what comes back, and in which order.
 *  Leaves    how one thing comes back, in one step and never over another, to redis/restore.
 */
import { textOf } from '../domain/nameText.ts';
import type { TargetConfig } from '../config/resolve.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Became } from '../redis/restore.ts';
import { piecesOf } from '../redis/pace/weight.ts';
import { runIn } from '../redis/trash/names.ts';
import type { TrashPlace } from '../redis/trash/place.ts';
import { contentsOf, type Held, type Kind } from './contents.ts';
import { withTrash } from './open.ts';
import { searchFor, type Wanted } from './wanted.ts';
import { Whose } from './whose.ts';
import { wordsOf } from '../redis/rights/refusals.ts';

export type { Wanted } from './wanted.ts';

export interface RestoreOptions {
  /** Heartbeats too: who is still silent then is swept again by the next run. */
  readonly heartbeats?: boolean;
  /** Only counts what would come back; writes nothing. */
  readonly dryRun?: boolean;
  /** Is told what comes back. Without it nothing is noted. */
  readonly ledger?: Pick<Ledger, 'noteRestored' | 'horizonsOf' | 'sightingsOf'> | null;
  /** Who asks for it, for the note; left out where that is not known. */
  readonly by?: string | null;
  /** Ends it between two calls, with its reason. */
  readonly signal?: AbortSignal;
  /** Told what an operator should know, that is no failure. */
  readonly warn?: (sentence: string) => void;
}

export interface Restored {
  /** How many keys came back, or, in a dry run, would. */
  readonly restored: number;
  /** How many of those are heartbeats. */
  readonly heartbeats: number;
  /** The names of those that exist again, and so stay in the trash. */
  readonly existing: readonly string[];
  /** How many have a time to live of their own that is over by now. */
  readonly expired: number;
}

/**
 * Brings back what is in the trash, with the time to live that it would have by now; never over something that exists. Opens a
 * connection of its own; all calls are bounded. Nothing found is no failure. Fails with `UNREACHABLE` or `DENIED`, with the error of
 * Redis, or with the reason of the signal.
 */
export async function restore(target: TargetConfig, what: Wanted, options: RestoreOptions = {}): Promise<Restored> {
  const { heartbeats = false, dryRun = false, signal = new AbortController().signal } = options;
  return await withTrash(target, signal, async (trash) => {
    const bringing = new Bringing(trash, { dryRun, tellsRuns: what.run === undefined }, signal);
    const noteAll = async (how: RestoreOptions) => await note(target, what, bringing, how);
    const told = dryRun || heartbeats ? null : whoseOf(target, what, options);
    try {
      for (const kinds of passesFor(heartbeats, dryRun)) {
        for await (const things of contentsOf(trash, searchFor(target.schema, what, kinds))) {
          await told?.(things);
          if (kinds === 'heartbeat') await endHorizon(target, options);
          await bringing.all(things);
        }
      }
    } catch (error) {
      // What has not been looked at lies there still.
      const { restored } = bringing.sum;
      if (restored > 0 && !dryRun)
        options.warn?.(`${restored === 1 ? '1 key' : `${restored} keys`} came back; what is left lies in the trash`);
      await noteAll({ ...options, heartbeats: false });
      throw error;
    } finally {
      // Also where it failed: some of them may be back.
      if (heartbeats && !dryRun) await endHorizon(target, options);
    }
    await noteAll(options);
    bringing.tellMore(options.warn);
    return bringing.sum;
  });
}

/** What is looked for, one after the other: heartbeats last, so that no run takes anybody for stale of whom only a part is back. */
function passesFor(heartbeats: boolean, dryRun: boolean): readonly (Kind | undefined)[] {
  if (!heartbeats) return ['thing'];
  return dryRun ? [undefined] : ['thing', 'heartbeat'];
}

/**
 * Tells the ledger whose things come back, before they do; where it can't be told, that is said once. Who comes back with the heartbeat
 * is judged by that.
 */
function whoseOf(target: TargetConfig, what: Wanted, { ledger = null, warn = () => {} }: RestoreOptions) {
  if (ledger === null) return null;
  const whose = new Whose(ledger.sightingsOf(target), target.schema, what.coordinator ?? null);
  let isTold = false;
  const say = (why: string) => {
    if (!isTold) warn(`where heartbeats expire, the next run may take again what comes back: ${why}`);
    isTold = true;
  };
  return async (things: readonly Held[]): Promise<void> => {
    try {
      const leftOut = await whose.note(things);
      if (leftOut > 0) say(`${leftOut} ids are more than the ledger keeps of who was given back`);
    } catch (error) {
      say(wordsOf(error));
    }
  };
}

/**
 * A stale heartbeat that is back is older than any that the last full pass saw: the next run looks at everybody. Told before, so
 * that no run in between goes by what stands, and after, since one may have ended in between.
 */
async function endHorizon(target: TargetConfig, { ledger = null }: RestoreOptions): Promise<void> {
  await ledger?.horizonsOf(target).keep(null);
}

/** More runs than these are not named, each in a note of its own: the ledger keeps so many notes, and not more. */
const MOST_NAMED = 16;

/**
 * Says to the ledger what came back, of each run that had taken something of it; where it can't be told, everything is back all the same.
 */
async function note(
  target: TargetConfig,
  what: Wanted,
  { sum, byRun }: Bringing,
  options: RestoreOptions,
): Promise<void> {
  const { dryRun = false, ledger = null, heartbeats = false, by = null, warn = () => {} } = options;
  if (dryRun || ledger === null || sum.restored === 0) return;
  const { run = null, coordinator = null } = what;
  const isNamed = run === null && byRun.size <= MOST_NAMED;
  const notes = isNamed ? byRun : new Map([[run, { ...sum, existing: sum.existing.length }]]);
  try {
    for (const [of, { restored, existing, expired }] of notes) {
      if (restored > 0)
        await ledger.noteRestored(target, { run: of, coordinator, restored, existing, expired, heartbeats, by });
    }
  } catch (error) {
    warn(`that it was given back could not be noted: ${wordsOf(error)}`);
  }
}

/** How many came back, are there again, had expired. */
interface Counts {
  restored: number;
  existing: number;
  expired: number;
}

class Bringing {
  #restored = 0;
  #heartbeats = 0;
  #expired = 0;
  /** Of how many of those that came back something that went before lies there, too. */
  #again = 0;
  /** How many came back without what time to live they had. */
  #timeless = 0;
  readonly #existing: string[] = [];
  /** The same by the run that took them; none where one was asked for. */
  readonly byRun = new Map<string, Counts>();

  constructor(
    private readonly trash: TrashPlace,
    private readonly how: { readonly dryRun: boolean; readonly tellsRuns: boolean },
    private readonly signal: AbortSignal,
  ) {}

  get sum(): Restored {
    return { restored: this.#restored, heartbeats: this.#heartbeats, existing: this.#existing, expired: this.#expired };
  }

  async all(things: readonly Held[]): Promise<void> {
    const { trash } = this;
    const { dryRun } = this.how;
    for (const chunk of piecesOf(
      things,
      () => trash.most,
      ({ name }) => name.length,
    )) {
      this.signal.throwIfAborted();
      const take = (at: number, became: Became): void => this.#take(chunk[at] as Held, became);
      if (!dryRun) await trash.bringBack(chunk, take);
      else for (const [at, became] of (await trash.lookAt(chunk)).became.entries()) take(at, became);
    }
  }

  /** Says what nobody could tell by the counts: of the same name the last that went comes back; not all as it was. */
  tellMore(warn: RestoreOptions['warn'] = () => {}): void {
    const of = (count: number) => (count === 1 ? '1 of these keys' : `${count} of these keys`);
    if (this.#again > 0)
      warn(`of ${of(this.#again)}, what an earlier run took lies in the trash, too; it comes back by that run alone`);
    if (this.#timeless > 0)
      warn(
        `what time to live ${of(this.#timeless)} had is not known: Redis evicted that, or an older version did not note it; they stay until somebody removes them`,
      );
  }

  #countOf(key: Buffer, which: keyof Counts): void {
    if (!this.how.tellsRuns) return;
    const run = runIn(key);
    const known = this.byRun.get(run) ?? { restored: 0, existing: 0, expired: 0 };
    known[which]++;
    this.byRun.set(run, known);
  }

  #take({ key, name, kind, isAgain }: Held, became: Became): void {
    if (became === 'gone') return;
    const isBack = became === 'restored' || became === 'timeless';
    this.#countOf(key, isBack ? 'restored' : became);
    if (became === 'expired') this.#expired++;
    else if (became === 'existing') this.#existing.push(textOf(name));
    else {
      this.#restored++;
      if (became === 'timeless') this.#timeless++;
      if (isAgain) this.#again++;
      if (kind === 'heartbeat') this.#heartbeats++;
    }
  }
}
