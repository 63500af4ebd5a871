/** remover: removes chunks by script, or, where scripts are refused, by transaction, for the rest of a run.
 *
 *  Owns      which of the two; and what a chunk is known to have removed whose answer was lost.
 *  Leaves    when a chunk is sent again to its caller, who must send the same object.
 *
 * A chunk whose answer was lost may have run, or not, or may yet: each way it removes at most what its proof allows, so sending
 * it again is safe. What it removed is told by what is left. Had it run, all heartbeats that were to go are gone or new ones;
 * else at least one of them is as it was. How many keys went is known from a count before it was sent: once a first answer is
 * lost, the keys of all chunks after it are counted. Of those that were under way at that moment nobody knows, which is said.
 */
import type { Strategy } from '../../domain/report.ts';
import { ANNOUNCED_MS } from './announcement.ts';
import { Bulk } from '../call/bulk.ts';
import { mayHaveBeenDone } from '../call/lost.ts';
import type { Calls } from '../call/calls.ts';
import type { Redis } from '../connection/ioredis.ts';
import { type OrphanChunk, type OrphanResult, sweepOrphans } from '../orphans.ts';
import { makingDoWithoutInfo, missingIn, Refused } from '../rights/missing.ts';
import { askPermissions } from '../rights/permissions.ts';
import { isInDoubt } from '../rights/tooLarge.ts';
import { scriptRefusal } from '../call/script.ts';
import { Deadline } from './deadline.ts';
import { type Before, countEach, hasRun, isLeft } from './left.ts';
import { lookAt } from './lookAt.ts';
import { keysIn, MOST_KEYS, type SweepChunk, type SweepResult, sweep } from '../sweep.ts';
import { MOST_KEYS_WATCHED, Transactions } from './transaction.ts';

/** A chunk of which nobody knows whether it was done. */
interface Unsettled {
  readonly before: Before;
  /** Whether it is not under way any more: it, or its answer, was refused for its size. */
  readonly isOver: boolean;
}

/** What a chunk that was sent came to, and whether no earlier sending of it can have removed anything. */
interface Told<R> {
  readonly result: R;
  readonly isFirst: boolean;
}

export class Remover {
  #transactions: Transactions | null = null;
  readonly #unsettled = new Map<SweepChunk | OrphanChunk, Unsettled>();
  #lossy = false;
  readonly #deadline: Deadline;

  /**
   * @param connectBeside opens a second connection to the server to which `calls` go
   * @param warn told once when the run has to go on without scripts, and when something removed can't be counted
   */
  constructor(
    private readonly calls: Calls,
    private readonly connectBeside: () => Promise<Redis>,
    private readonly warn: (sentence: string) => void = () => {},
  ) {
    this.#deadline = new Deadline(calls);
  }

  get strategy(): Strategy {
    return this.#transactions === null ? 'script' : 'transaction';
  }

  /** The most keys a chunk should hold. */
  get mostKeys(): number {
    return this.#transactions === null ? MOST_KEYS : MOST_KEYS_WATCHED;
  }

  /**
   * Before anything else is under way: finds the strategy, and throws `Refused`, naming what is missing, when the user may
   * not do what the run needs, or the server does not; what Redis said, when that was only that it is not ready. Keys it may not touch show only when
   * a call names them.
   * @param part of a node of a cluster: a tag that puts names where it serves them
   */
  async prepare(wanted: Parameters<typeof askPermissions>[1], dryRun: boolean, part?: string): Promise<void> {
    const permissions = await askPermissions(this.calls, wanted, dryRun, part);
    if (permissions.unready !== null) throw permissions.unready;
    // Whether a run can do without INFO is not for Redis to say.
    const missing = missingIn(makingDoWithoutInfo(permissions));
    if (missing !== null) throw new Refused(missing.whose, `${missing.what}; ${missing.advice}`);
    if (permissions.withoutScripts !== null && part !== undefined) {
      const what = `takes no scripts (${permissions.withoutScripts})`;
      throw new Refused('server', `${what}, and is a node of a cluster, where a run needs them`);
    }
    if (permissions.withoutScripts !== null) this.#fallBack(permissions.withoutScripts);
  }

  /**
   * Removes a chunk's keys if each heartbeat is as it was judged; otherwise removes nothing and says which are not. After an error
   * that leaves open whether it was done, the same chunk may be sent again.
   * @param most once answers have been lost, a chunk that holds more keys than this and did not run is given back: as if something
   * had changed, but nothing is named
   */
  async sweep(chunk: SweepChunk, most = Number.POSITIVE_INFINITY): Promise<SweepResult> {
    if (this.#lossy && !this.#unsettled.has(chunk) && keysIn(chunk) > most) return { ...NOTHING_CHANGED, ms: 0 };
    return await this.#settle(
      chunk,
      () => chunk.families,
      async (again, before): Promise<Told<SweepResult>> => {
        if (again !== null && keysIn(chunk) > most) {
          const seen = await lookAt(this.calls, chunk, async (part) => await this.#sweep(part));
          if (await hasRun(this.calls, chunk, seen, before)) return ranBefore(chunk, seen);
          if (seen.swept && (await this.#wasSaid(chunk))) return ranBefore(chunk, seen);
          // Without a heartbeat that was to go, nobody can tell what it removed, unless it is over, and some of it, or none, is left.
          if (chunk.heartbeats === 0 && !(again.isOver && (await isLeft(this.calls, chunk.families)))) {
            if (again.isOver && before !== null) return ranBefore(chunk, seen);
            this.warn(uncounted(1));
          }
          return { result: seen.swept ? { ...NOTHING_CHANGED, ms: seen.ms } : seen, isFirst: true };
        }
        const result = await this.#sweep(chunk);
        if (again !== null && (await hasRun(this.calls, chunk, result, before))) return ranBefore(chunk, result);
        return {
          result,
          isFirst: result.swept && (result.heartbeats > 0 || result.removed.some((count) => count > 0)),
        };
      },
    );
  }

  /** Removes those orphans that are idle; removes nothing, and says which, when one of the heartbeats exists. Else as `sweep`. */
  async sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult> {
    return await this.#settle(
      chunk,
      () => chunk.families.map((family) => Bulk.of(family)),
      async () => {
        const result = await this.#remove(
          () => this.#deadline.inTime((until) => sweepOrphans(this.calls, chunk, until)),
          (transactions) => transactions.sweepOrphans(chunk),
        );
        return { result, isFirst: result.swept && result.removed.some((count) => count > 0) };
      },
    );
  }

  /** Of orphans that were refused for their size, and will not be sent again: where all are left, nothing was removed. */
  async settleRefused(chunk: OrphanChunk): Promise<void> {
    if (this.#unsettled.get(chunk)?.isOver !== true) return;
    const names = Bulk.of(new Set(chunk.families.flat()));
    const [left] = await countEach(this.calls, [names]);
    if (left === names.count) this.#unsettled.delete(chunk);
    names.clear();
  }

  /** Says what no later chunk can: that some answers were lost for good, and what they told of is in no report. */
  end(): void {
    if (this.#unsettled.size > 0) this.warn(uncounted(this.#unsettled.size));
    this.#unsettled.clear();
  }

  async #sweep(chunk: SweepChunk): Promise<SweepResult> {
    const send = async (until?: number) => await sweep(this.calls, chunk, until);
    return await this.#remove(
      () => (chunk.absent.count > 0 ? this.#deadline.inTime(send) : send()),
      (transactions) => transactions.sweep(chunk),
    );
  }

  async #settle<R extends SweepResult | OrphanResult>(
    chunk: SweepChunk | OrphanChunk,
    keys: () => readonly Bulk[],
    send: (again: Unsettled | null, before: Before) => Promise<Told<R>>,
  ): Promise<R> {
    const again = this.#unsettled.get(chunk) ?? null;
    // Where this fails, nothing was sent yet.
    const before = again?.before ?? (again === null && this.#lossy ? await countEach(this.calls, keys()) : null);
    try {
      const { result, isFirst } = await send(again, before);
      const settled = again !== null && result.swept && !isFirst ? await this.#ofAll(result, before, keys()) : result;
      this.#unsettled.delete(chunk);
      return settled;
    } catch (error) {
      const isRefused = isInDoubt(error);
      if (mayHaveBeenDone(error)) this.#lossy = true;
      if (mayHaveBeenDone(error) || isRefused)
        this.#unsettled.set(chunk, { before, isOver: isRefused && again?.isOver !== false });
      throw error;
    }
  }

  /**
   * Whether a chunk without heartbeats that go was announced, and so has run. If not, it will not be from now on, should it
   * arrive late: those in it are announced with whatever takes its place.
   */
  async #wasSaid({ announcement }: SweepChunk): Promise<boolean> {
    const once = announcement?.once ?? null;
    if (once === null) return false;
    const { reply } = await this.calls.send('set', [once, 'given back', 'NX', 'PX', ANNOUNCED_MS]);
    if (reply !== null) return false;
    return (await this.calls.send('get', [once])).reply === 'said';
  }

  /** What all sendings of a chunk removed together, where it is not known to have been the last alone. */
  async #ofAll<R extends SweepResult | OrphanResult>(last: R, before: Before, keys: readonly Bulk[]): Promise<R> {
    if (before === null) {
      this.#lossy = true;
      this.warn(uncounted(1));
      return { ...last, removed: [] };
    }
    const after = await countEach(this.calls, keys);
    return { ...last, removed: before.map((count, family) => Math.max(0, count - (after[family] ?? 0))) };
  }

  async #remove<T>(byScript: () => Promise<T>, byTransaction: (transactions: Transactions) => Promise<T>): Promise<T> {
    if (this.#transactions === null) {
      try {
        return await byScript();
      } catch (error) {
        // An ACL may change on the way. The refused call has done nothing.
        const refusal = scriptRefusal(error);
        if (refusal === null) throw error;
        return await byTransaction(this.#fallBack(refusal));
      }
    }
    return await byTransaction(this.#transactions);
  }

  #fallBack(refusal: string): Transactions {
    if (this.#transactions === null) {
      this.warn(`no scripts here (${refusal}): the run goes on by transaction, with WATCH and MULTI`);
      this.#transactions = new Transactions(this.calls, this.connectBeside);
    }
    return this.#transactions;
  }
}

function ranBefore({ heartbeats }: SweepChunk, { ms }: SweepResult): Told<SweepResult> {
  return {
    result: { swept: true, removed: [], missing: [], heartbeats, ms },
    isFirst: false,
  };
}

/** Of a chunk that was given back. */
export const NOTHING_CHANGED = { swept: false, revived: [], vanished: [], born: [] } as const;

function uncounted(chunks: number): string {
  const what = chunks === 1 ? 'a removal' : `${chunks} removals`;
  return `the answer to ${what} was lost: some of the keys that went with it may be missing in the counts`;
}
