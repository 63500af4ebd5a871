/** context: what the phases of one run share. */
import { Failure } from '../domain/failure.ts';
import type { Phase } from '../domain/phase.ts';
import type { Condemned, Removal, Removed } from '../domain/removal.ts';
import type { Outlook } from '../domain/outlook.ts';
import type { Protection } from '../domain/protection.ts';
import type { Report } from '../domain/report.ts';
import type { Sightings } from '../domain/sighting.ts';
import type { Place } from '../redis/target/place.ts';
import type { Target } from '../redis/target/target.ts';
import type { Trash } from '../redis/trash/names.ts';
import type { KeyReader } from '../schema/keyReader.ts';
import type { KeySchema } from '../schema/keySchema.ts';
import type { Distinct } from '../store/distinct.ts';
import type { HeldKeys } from '../store/heldKeys.ts';
import type { Beat } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Spellers } from './ownership/spellers.ts';
import type { Hold } from './guards/hold.ts';
import type { MemorySample } from './tally/memorySample.ts';
import type { MixedFamilies } from './batch/mixedFamilies.ts';
import type { Tally } from './tally/tally.ts';

export type { Phase } from '../domain/phase.ts';

/** Told how a run goes on. Called often: whoever passes it on should thin it out. Must not throw. */
export interface Observer {
  /** Told as the run begins how to ask for its report as it stands, at any time; what it cost and removed so far, as `interrupted`. */
  readonly begins?: (soFar: () => Report) => void;
  readonly phase?: (phase: Phase, sentence: string) => void;
  readonly progress?: (phase: Phase, tally: Tally) => void;
  /** Something an operator should know, that is no failure. */
  readonly warn?: (sentence: string) => void;
  /**
   * Told who is to be swept next, before anything of theirs is removed; awaited. To be asked for once, and not after anything was
   * waited for. Who is told may be found to have revived. If it rejects, the run ends; nothing of theirs
   * goes once the run was told to end meanwhile.
   */
  readonly condemn?: (next: Iterable<Condemned>) => Promise<void>;
  /**
   * Asked between two calls: resolves once whoever counts what went knows of it, but for the last moment; `null`: it is known. So what a
   * run that ends without a word removed stands in the report all the same.
   */
  readonly caughtUp?: () => Promise<void> | null;
  /** Of whom so many names would be told, as far as they are known, are enough for `condemn` at once; left out: it asks for none. */
  readonly namesAtOnce?: number;
  /** Told what a call removed, before the names are let go. */
  readonly removed?: (removed: Removed) => void;
  /** Told, before the run lets go of them, of those of whom only parts went; to be asked for once, and not after anything was waited for. */
  readonly left?: (left: Iterable<Removal>) => void;
  /**
   * Told of those of whom the last went, or in a dry run would, with counts that are exact unless an answer of Redis was lost; awaited,
   * so that it may take its time: what it is told holds for good.
   */
  readonly list?: (removals: readonly Removal[]) => Promise<void>;
}

export interface Run {
  /** As the report names it. */
  readonly id: string;
  /** By `performance.now()`. */
  readonly begunAt: number;
  readonly target: Target;
  readonly schema: KeySchema;
  readonly reader: KeyReader;
  readonly spellers: Spellers;
  readonly store: Store;
  readonly keys: HeldKeys;
  /** What earlier runs saw; `null` where nothing is kept of that. */
  readonly sightings: Sightings | null;
  readonly staleAfterSeconds: number;
  readonly dryRun: boolean;
  readonly memoryBudgetBytes: number;
  readonly tally: Tally;
  readonly observer: Observer;
  readonly signal: AbortSignal;
  readonly mixedFamilies: MixedFamilies;
  /** Things that stay although somebody stale could own them, since somebody who lives could, too (P2). */
  readonly kept: Distinct;
  /** Heartbeats that are there and can't be judged, by name, where it is kept who was seen; of far more than fit, some (P4, P11). */
  readonly unjudged: Distinct;
  /** Of what it would remove, where it removes nothing; else `null`. */
  readonly memory: MemorySample | null;
  readonly hold: Hold;
  /** Where what is swept is kept for a while; `null`: it goes for good. */
  readonly trash: Trash | null;
  /** What tells how soon somebody could be stale; `null` where nobody wants to know. */
  readonly outlook: Outlook | null;
  /** How many keys were said to expire as it began; 0 where nobody asked. */
  readonly expiring: number;
  /** Heartbeats that were shown, and gone when they were to be read; until they are entered. */
  readonly vanished: Buffer[];
  /** Whose heartbeats calls under way are to remove; each resolves once it is noted what that call did. */
  readonly leaving: Map<Beat, Promise<void>>;
  /** Whether this id is never swept; `null` where no id is. */
  readonly isProtected: Protection | null;
}

/** A run at one place of its target: where calls go, by whose clock is judged, how large calls may be. */
export interface RunContext extends Run {
  readonly node: Place;
}

/** The run at each node of its target, to walk them. */
export function atNodes(run: Run): readonly RunContext[] {
  return run.target.nodes.map((node) => ({ ...run, node }));
}

/** The run where its target's things are asked for and removed, whichever node they are on. */
export function atWhole(run: Run): RunContext {
  return { ...run, node: run.target.whole };
}

/** The run where what its walk found is read: hints, each of which is proved before anything goes by it. */
export function atReads(run: Run): RunContext {
  return { ...run, node: run.target.reads };
}

/** What all of these come to. Rejects as the first of them that failed did, once all have ended: nothing outlives its run. */
export async function allOf<T extends readonly unknown[]>(
  work: readonly [...T],
): Promise<{ -readonly [At in keyof T]: Awaited<T[At]> }> {
  const ended = await Promise.allSettled(work);
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
  return (await Promise.all(work)) as { -readonly [At in keyof T]: Awaited<T[At]> };
}

/** Works at all nodes side by side. Rejects as the first that failed did, once all have ended. */
export async function sideBySide(run: Run, work: (here: RunContext) => Promise<void>): Promise<void> {
  await allOf(atNodes(run).map(work));
}

/** Between two calls: rests as `nice` asks, and until it is known how far it is. Whether to go on; `false` once the run is interrupted. */
export async function pause({ signal, node, observer }: RunContext): Promise<boolean> {
  if (signal.aborted) return false;
  await node.calls.rest.take();
  await observer.caughtUp?.();
  return !signal.aborted;
}

/** Throws `INTERRUPTED` once the run was told to end. */
export function stopIfInterrupted({ signal }: Run): void {
  if (signal.aborted) throw new Failure('INTERRUPTED', 'the run was interrupted');
}

/**
 * Works through `items` with as many calls under way as the node allows. When one fails or the run is interrupted, no
 * further item is taken, and it returns only after those under way have ended, so that nothing goes uncounted.
 */
export async function inFlight<T>(run: RunContext, items: AsyncGenerator<T>, work: (item: T) => Promise<void>) {
  stopIfInterrupted(run);
  const lane = async () => {
    for await (const item of items) await work(item);
  };
  await allOf(Array.from({ length: run.node.lanes }, lane));
  stopIfInterrupted(run);
}
