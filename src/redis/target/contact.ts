/** contact: who answers where a target is, for a run that may not have to look at it.
 *
 *      Contact: who answers there ──examine──▶ Target: what a run must know that looks at it
 */
import type { TargetConfig } from '../../config/resolve.ts';
import type { KeyCounts } from '../../domain/horizon.ts';
import type { Strategy } from '../../domain/report.ts';
import { Rest } from '../call/rest.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import { ServerCalls } from '../call/calls.ts';
import { countsOf, readSeconds } from './clock.ts';
import { infoAtOpening } from '../connection/connectForRun.ts';
import type { Link } from './link.ts';
import { Node, type NodeWishes } from './node.ts';
import { Paces } from '../pace/paces.ts';
import type { Copy, CopyParts } from '../replica/copy.ts';
import type { Original } from '../replica/original.ts';
import { Patience } from './patience.ts';
import { heedPromotions } from './heedPromotions.ts';
import type { Reader } from './reader.ts';
import { Target } from './target.ts';

/** A target that answers, and of which nothing else is known yet: for a run that may not have to look at it. */
export interface Contact {
  readonly settings: TargetConfig;
  /** That of all calls, also of the target's. */
  readonly stopwatch: Stopwatch;
  /** How things are removed there, as far as that is known. */
  readonly strategy: Strategy;
  /** Which processes of which histories answer there, and for what, as they said when connected to; `null` where that is not known. */
  readonly server: string | null;
  /** What was said then of the database. */
  readonly counts: KeyCounts;
  /** TIME, in whole seconds: the one call that this is; where there are several, by that clock by which others seem most silent. */
  seconds(signal: AbortSignal): Promise<number>;
  /** Whether no run has left something that the next one is to put right before it judges anybody. */
  isSettled(signal: AbortSignal): Promise<boolean>;
  /** For whoever reads a few heartbeats, and nothing else. */
  reader(signal: AbortSignal): Promise<Reader>;
  /** Finds out, once, what a run has to know that looks at it. Fails with `DENIED`, or with the error of Redis. */
  examine(wishes: NodeWishes): Promise<Target>;
  /** Ends all connections. */
  close(): void;
}

/** One server. @param link leads to it */
export class ServerContact implements Contact {
  readonly strategy = 'script';
  readonly #calls: ServerCalls;
  #target: Target | null = null;
  /** The replica that is read, once it was needed. */
  #copy: Copy | null = null;

  constructor(
    readonly settings: TargetConfig,
    private readonly link: Link,
    readonly stopwatch: Stopwatch,
  ) {
    this.#calls = new ServerCalls(link.redis, new Rest(settings.nice), stopwatch);
  }

  get server(): string | null {
    return this.link.identity;
  }

  get counts(): KeyCounts {
    const { redis } = this.link;
    return countsOf(infoAtOpening(redis), redis.options.db ?? 0);
  }

  async seconds(signal: AbortSignal): Promise<number> {
    const patience = new Patience(this.link, this.#calls, signal);
    return await patience.steadily(async () => await readSeconds(this.#calls));
  }

  async isSettled(): Promise<boolean> {
    return true;
  }

  async reader(signal: AbortSignal): Promise<Reader> {
    const patience = new Patience(this.link, this.#calls, signal);
    const paces = new Paces(this.#calls, this.settings, 1);
    await patience.steadily(async () => await paces.begin());
    const here: Reader = {
      calls: this.#calls,
      paces,
      steadily: async (kind, attempt) => await patience.steadily(attempt, () => paces[kind].backOff()),
    };
    return this.#readsCopy ? await this.#openCopy(here, { signal, warn: () => {} }) : here;
  }

  get #readsCopy(): boolean {
    return this.settings.readFrom === 'replica';
  }

  async #openCopy(original: Original, wishes: CopyParts['wishes']): Promise<Copy> {
    const { settings, stopwatch } = this;
    // Loaded when it is needed, which for most is never.
    const { openCopy } = await import('../replica/find.ts');
    this.#copy ??= await openCopy(original, { settings, wishes, stopwatch });
    return this.#copy;
  }

  async examine(wishes: NodeWishes): Promise<Target> {
    this.#target ??= await this.#examine(wishes);
    return this.#target;
  }

  async #examine(wishes: NodeWishes): Promise<Target> {
    const { settings, stopwatch } = this;
    const node = await Node.examine(this.link, this.#calls, settings, { ...wishes, isSpared: this.#readsCopy });
    await heedPromotions([node], wishes);
    if (!this.#readsCopy) return Target.of(settings, node, stopwatch);
    const copy = await this.#openCopy(node, wishes);
    const { copiedServer } = await import('../replica/copiedServer.ts');
    return copiedServer(settings, { node, copy, dryRun: wishes.dryRun, stopwatch });
  }

  close(): void {
    if (this.#target !== null) {
      this.#target.close();
      return;
    }
    this.#copy?.close();
    this.link.close();
  }
}
