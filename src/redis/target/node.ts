/** node: one Redis server of a target, as a run knows it: connection, clock, latency, pace, and the way to remove.
 *
 *  Owns      what is found out about a server before a run may begin there.
 *  Leaves    lost connections and passing refusals to patience, sizes of calls to paces, removal to remover.
 */
import type { TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../domain/heartbeat.ts';
import type { Outage } from '../../domain/outages.ts';
import type { Calls, ServerCalls } from '../call/calls.ts';
import {
  clockOf,
  clockSince,
  type Info,
  keyspaceSizeOf,
  lapsedClockOf,
  readInfo,
  readSeconds,
  UPTIME,
  usedMemoryBytesOf,
} from './clock.ts';
import type { OrphanChunk, OrphanResult } from '../orphans.ts';
import { isRefusal, refusedCommandIn } from '../rights/refusals.ts';
import { Remover } from '../removal/remover.ts';
import { infoSincePromotion } from '../connection/sentinel.ts';
import type { SweepChunk, SweepResult } from '../sweep.ts';
import { lanesFor, measureLatency } from '../pace/latency.ts';
import { Births } from './births.ts';
import { Chunks } from './chunks.ts';
import type { Link } from './link.ts';
import { type Kind, Paces } from '../pace/paces.ts';
import { Patience } from './patience.ts';
import type { Place } from './place.ts';
import { promotedHistory } from './promotion.ts';

/** For so long a server that was seen to be the same one is believed to be, in ms and in ways to it and back: asking takes one. */
const SEEN_FOR = { ms: 100, ways: 10 };

export interface NodeWishes {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Whether to fail once a call is not answered and the server stands still, instead of waiting for minutes. */
  readonly leavesSilent?: boolean;
  /** Told what an operator should know, that is no failure. */
  readonly warn: (sentence: string) => void;
  /** Whether a replica is looked at instead: then a dry run asks it for TIME and INFO alone. */
  readonly isSpared?: boolean;
  /** Of a node of a cluster: a tag that puts names where it serves them. */
  readonly part?: string;
  /** What was seen of times in which nobody could beat, up to this instant of the server's clock, in ms; must not reject. */
  readonly outages?: (nowMs: number) => Promise<readonly Outage[]>;
  /**
   * When those took over who were replicas before, in ms of the server's clock, by the histories they began then: of all servers of the
   * target at once; none of which nobody knows when that was. Must not reject. Asked after `outages`.
   */
  readonly promotedAt?: (histories: readonly string[], nowMs: number) => Promise<ReadonlyMap<string, number>>;
}

/** What is known of a node once it was examined. */
interface Known {
  readonly info: Info;
  readonly clock: Clock;
  readonly lapsedClock: Clock;
  readonly paces: Paces;
  readonly remover: Remover;
  readonly lanes: number;
  readonly promoted: string | null;
}

export class Node implements Place {
  readonly paces: Paces;
  /** How many calls may be under way at once. */
  readonly lanes: number;
  /** How many keys it held as the run began, roughly. */
  readonly keyspace: number;
  readonly births: Births;
  /** The history that it began as it took over from another one; `null` where it did not, or sentinels tell of that. */
  readonly promoted: string | null;
  #clock: Clock;
  #lapsedClock: Clock;
  readonly #info: Info;
  readonly #remover: Remover;
  readonly #chunks: Chunks;
  /** When the server was last seen to be the one with which the run began, by `performance.now()`. */
  #seenAt: number;
  #looking: Promise<void> | null = null;

  private constructor(
    readonly calls: ServerCalls,
    private readonly link: Link,
    private readonly patience: Patience,
    { info, clock, lapsedClock, paces, remover, lanes, promoted }: Known,
  ) {
    this.#clock = clock;
    this.#lapsedClock = lapsedClock;
    this.paces = paces;
    this.lanes = lanes;
    this.keyspace = keyspaceSizeOf(info);
    this.births = new Births(link, info, calls.stopwatch);
    this.promoted = promoted;
    this.#info = info;
    this.#remover = remover;
    this.#chunks = new Chunks(this, remover);
    this.#seenAt = link.rememberedAt;
  }

  /**
   * Finds out what a run has to know of the server to which `link` leads and `calls` go. A server that is not ready is waited for.
   * Throws `Refused`, or a `DENIED` failure, when the user or the server may not do what the run needs.
   */
  static async examine(link: Link, calls: ServerCalls, settings: TargetConfig, wishes: NodeWishes): Promise<Node> {
    const { dryRun, signal, warn, leavesSilent = false, isSpared = false, part } = wishes;
    const { outages = async () => [] } = wishes;
    const patience = new Patience(link, calls, signal, leavesSilent);
    const info = await patience.steadily(async () => await readTargetInfo(calls, settings, dryRun, warn));
    link.remember(info);
    const remover = new Remover(calls, async () => await link.beside(), warn);
    if (!(dryRun && isSpared)) await patience.steadily(async () => await remover.prepare(settings, dryRun, part));
    const nowSeconds = await patience.steadily(async () => await readSeconds(calls));
    // After the clock was read: an outage that ends as the run begins is known by now.
    const clock = clockOf(nowSeconds, info, settings.restartGrace, await outages(nowSeconds * 1000));
    calls.latencyMs = await patience.steadily(async () => await measureLatency(calls));
    const paces = new Paces(calls, settings, remover.mostKeys);
    await patience.steadily(async () => await paces.begin());
    return new Node(calls, link, patience, {
      info,
      clock,
      lapsedClock: lapsedClockOf(clock, info, settings.restartGrace),
      paces,
      remover,
      promoted: promotedHistory(settings.url, info),
      lanes: lanesFor(settings.nice, calls.latencyMs),
    });
  }

  /** The server's own time, read once, as the run began (P5). */
  get clock(): Clock {
    return this.#clock;
  }

  /** The clock for those who have no heartbeat any more: they may have lost it with the server's memory (P10, P11). */
  get lapsedClock(): Clock {
    return this.#lapsedClock;
  }

  /** Lets silence count from this instant of its clock on at the earliest, in ms. Before anybody is judged. */
  countSilenceFrom(sinceMs: number): void {
    this.#clock = clockSince(this.#clock, sinceMs);
    this.#lapsedClock = clockSince(this.#lapsedClock, sinceMs);
  }

  get strategy(): Remover['strategy'] {
    return this.#remover.strategy;
  }

  /** The most keys a chunk should hold. */
  get mostKeys(): number {
    return this.#remover.mostKeys;
  }

  get mostProofs(): number {
    return this.#chunks.mostProofs;
  }

  /** Everything goes with everything else here. */
  homeOf(): null {
    return null;
  }

  /**
   * Calls `attempt` until it succeeds, through refusals that pass and connections that are cut; each makes calls of this kind
   * smaller, so `attempt` should look how large they may be. All other errors are thrown; `INTERRUPTED`, once the run was told to end.
   */
  async steadily<T>(kind: Kind, attempt: () => Promise<T>): Promise<T> {
    return await this.patience.steadily(attempt, () => this.paces[kind].backOff());
  }

  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    await this.insistOnSame();
    return await this.#chunks.sweep(chunk);
  }

  async sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult> {
    await this.insistOnSame();
    return await this.#chunks.sweepOrphans(chunk);
  }

  /**
   * Before anything goes: a primary that turned replica and back, on a connection that nobody ended, may have lost beats with that, which
   * takes whoever does that by hand longer than a server is believed. Fails (`UNREACHABLE`) where it did.
   */
  async insistOnSame(seenForMs = Math.max(SEEN_FOR.ms, SEEN_FOR.ways * this.calls.latencyMs)): Promise<void> {
    const at = performance.now();
    // A look that was begun too early tells nothing of what was done since.
    while (this.link.identity !== null && at - this.#seenAt > seenForMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
      await this.#looking;
    }
  }

  async #look(): Promise<void> {
    const at = performance.now();
    this.link.insistOn(await this.patience.steadily(async () => await readInfo(this.calls)));
    this.#seenAt = at;
  }

  /** How many bytes of memory have been freed since the run began; 0 where more were taken, or INFO is refused. */
  async freedBytes(): Promise<number> {
    const before = usedMemoryBytesOf(this.#info);
    if (before === 0) return 0;
    const after = await this.patience.steadily(async () => await readInfo(this.calls));
    return Math.max(0, before - usedMemoryBytesOf(after));
  }

  /** Ends the connection, and says what was lost with it. */
  close(): void {
    this.#remover.end();
    this.link.close();
  }
}

/** What one says that did not. */
const STARTED_EMPTY = new Map([
  ['rdb_last_load_keys_loaded', '0'],
  ['aof_enabled', '0'],
]);

/** INFO as far as it is told; rented servers may tell less of it, or nothing. */
async function readTargetInfo(
  calls: Calls,
  settings: TargetConfig,
  dryRun: boolean,
  warn: (sentence: string) => void,
): Promise<Info> {
  let refusal: unknown = null;
  const info = await readInfo(calls).catch((error: unknown): Info => {
    if (!isRefusal(error)) throw error;
    refusal = error;
    return new Map();
  });
  if (info.has(UPTIME)) return settings.restartGrace ? await infoSincePromotion(settings, info) : info;
  const [missing, wayOut] =
    refusedCommandIn(refusal) === null ? [`${UPTIME} in INFO`, ''] : ['INFO', 'grant the user +info'];
  const what = `target "${settings.name}": without ${missing} nobody can tell whether Redis came back with old data (P10)`;
  if (settings.restartGrace && !dryRun) {
    const ways = [wayOut, 'set restartGrace: false'].filter((way) => way !== '').join(', or ');
    throw new Failure('DENIED', `${what}; ${ways}`, { cause: refusal });
  }
  if (settings.restartGrace || refusal !== null) warn(wayOut === '' ? what : `${what}; ${wayOut}`);
  return new Map([...info, ...STARTED_EMPTY]);
}
