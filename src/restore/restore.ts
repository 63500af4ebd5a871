/** restore: brings back from a target's trash what was swept.
 *
 *      runs that swept it ──▶ what of it is in the trash ──▶ back, chunk by chunk, heartbeats last
 *
 *  Owns      what comes back, and in which order.
 *  Leaves    how one thing comes back, in one step and never over another, to redis/restore.
 */
import { textOf } from '../domain/nameText.ts';
import { mayBeOf } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Became, Thing } from '../redis/restore.ts';
import { piecesOf } from '../redis/pace/weight.ts';
import { encodeRun } from '../redis/trash/names.ts';
import type { TrashPlace } from '../redis/trash/place.ts';
import { contentsOf, type Held } from './contents.ts';
import { withTrash } from './open.ts';
import { searchFor, type Wanted } from './wanted.ts';
import { Whose } from './whose.ts';

export type { Wanted } from './wanted.ts';

export interface RestoreOptions {
  /** Heartbeats too: who is still silent then is swept again by the next run. */
  readonly heartbeats?: boolean;
  /** Only counts what would come back; writes nothing. */
  readonly dryRun?: boolean;
  /**
   * Tells which runs swept a coordinator, and is told what came back. Without it, or where it knows of none, names decide alone,
   * and nothing is noted.
   */
  readonly ledger?: Pick<Ledger, 'find' | 'noteRestored' | 'horizonsOf' | 'sightingsOf'> | null;
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

/** More runs than this hardly swept the same one within the time that anything is in the trash. */
const MOST_RUNS = 1_000;

/**
 * Brings back what is in the trash, with the time to live that it would have by now; never over something that exists. Opens a
 * connection of its own; all calls are bounded. Nothing found is no failure. Fails with `UNREACHABLE` or `DENIED`, with the error of
 * Redis, or with the reason of the signal.
 */
export async function restore(target: TargetConfig, what: Wanted, options: RestoreOptions = {}): Promise<Restored> {
  const { heartbeats = false, dryRun = false, signal = new AbortController().signal } = options;
  const runs = await runsThatSwept(target, what, options);
  return await withTrash(target, signal, async (trash) => {
    const bringing = new Bringing(trash, dryRun, signal);
    const told = dryRun || heartbeats ? null : whoseOf(target, what, options);
    try {
      // Last, so that no run takes anybody for stale of whom only a part is back.
      for (const kind of heartbeats ? [false, true] : [false]) {
        for await (const things of contentsOf(trash, searchFor(target.schema, what, kind, runs))) {
          await told?.(things);
          if (kind && !dryRun) await endHorizon(target, options);
          await bringing.all(things, kind);
        }
      }
    } catch (error) {
      // What has not been looked at lies there still.
      const { restored } = bringing.sum;
      if (restored > 0 && !dryRun)
        options.warn?.(`${restored === 1 ? '1 key' : `${restored} keys`} came back; what is left lies in the trash`);
      await note(target, what, bringing.sum, { ...options, heartbeats: false });
      throw error;
    } finally {
      // Also where it failed: some of them may be back.
      if (heartbeats && !dryRun) await endHorizon(target, options);
    }
    await note(target, what, bringing.sum, options);
    return bringing.sum;
  });
}

/** Which runs swept a coordinator, as names in the trash have them; `null` where nobody knows. */
async function runsThatSwept(
  target: TargetConfig,
  what: Wanted,
  { ledger = null, warn = () => {} }: RestoreOptions,
): Promise<ReadonlySet<string> | null> {
  if (ledger === null || 'run' in what) return null;
  try {
    const { swept } = await ledger.find(what.coordinator, {
      target: target.name,
      isOurs: ({ fingerprint }) => mayBeOf(target, fingerprint),
      limit: MOST_RUNS,
    });
    return swept.length === 0 ? null : new Set(swept.map(({ batch }) => encodeRun(batch.run)));
  } catch (error) {
    warn(`which runs swept it can not be read, so names decide alone: ${sentenceOf(error)}`);
    return null;
  }
}

/**
 * Tells the ledger whose things come back, before they do; where it can't be told, that is said once. Who comes back with the heartbeat
 * is judged by that.
 */
function whoseOf(target: TargetConfig, what: Wanted, { ledger = null, warn = () => {} }: RestoreOptions) {
  if (ledger === null) return null;
  const whose = new Whose(ledger.sightingsOf(target), target.schema, 'run' in what ? null : what.coordinator);
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
      say(sentenceOf(error));
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

/** Says to the ledger what came back; where it can't be told, everything is back all the same. */
async function note(target: TargetConfig, what: Wanted, sum: Restored, options: RestoreOptions): Promise<void> {
  const { dryRun = false, ledger = null, heartbeats = false, by = null, warn = () => {} } = options;
  if (dryRun || ledger === null || sum.restored === 0) return;
  const { restored, existing, expired } = sum;
  const wanted =
    'run' in what ? { run: what.run, coordinator: null } : { run: null, coordinator: Buffer.from(what.coordinator) };
  try {
    const counts = { restored, existing: existing.length, expired };
    await ledger.noteRestored(target, { ...wanted, ...counts, heartbeats, by });
  } catch (error) {
    warn(`that it was given back could not be noted: ${sentenceOf(error)}`);
  }
}

class Bringing {
  #restored = 0;
  #heartbeats = 0;
  #expired = 0;
  readonly #existing: string[] = [];

  constructor(
    private readonly trash: TrashPlace,
    private readonly dryRun: boolean,
    private readonly signal: AbortSignal,
  ) {}

  get sum(): Restored {
    return { restored: this.#restored, heartbeats: this.#heartbeats, existing: this.#existing, expired: this.#expired };
  }

  async all(things: readonly Thing[], areHeartbeats: boolean): Promise<void> {
    const { trash, dryRun } = this;
    for (const chunk of piecesOf(
      things,
      () => trash.most,
      ({ name }) => name.length,
    )) {
      this.signal.throwIfAborted();
      const take = (at: number, became: Became): void => this.#take(chunk[at] as Thing, became, areHeartbeats);
      if (!dryRun) await trash.bringBack(chunk, take);
      else for (const [at, became] of (await trash.lookAt(chunk)).became.entries()) take(at, became);
    }
  }

  #take({ name }: Thing, became: Became, isHeartbeat: boolean): void {
    if (became === 'expired') this.#expired++;
    else if (became === 'existing') this.#existing.push(textOf(name));
    else if (became === 'restored') {
      this.#restored++;
      if (isHeartbeat) this.#heartbeats++;
    }
  }
}
