/** contact: who answers where a target is, for a run that may not have to look at it.
 *
 *      Contact: who answers there ──examine──▶ Target: what a run must know that looks at it
 */
import { deploymentOf } from '../../config/values/deployment.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import { Rest } from '../call/rest.ts';
import { Stopwatch } from '../call/stopwatch.ts';
import { ServerCalls } from '../call/calls.ts';
import { keysOf, readSeconds } from './clock.ts';
import { isClusterNode } from '../connection/cluster.ts';
import { infoAtOpening } from '../connection/connectForRun.ts';
import { Link } from './link.ts';
import { Node, type NodeWishes } from './node.ts';
import { Paces } from '../pace/paces.ts';
import type { Copy, CopyParts } from '../replica/copy.ts';
import type { Original } from '../replica/original.ts';
import { Patience } from './patience.ts';
import type { Reader } from './reader.ts';
import { Target } from './target.ts';

/** A target that answers, and of which nothing else is known yet: for a run that may not have to look at it. */
export class Contact {
  readonly #calls: ServerCalls;
  #target: Target | null = null;
  /** The replica that is read, once it was needed. */
  #copy: Copy | null = null;

  private constructor(
    readonly settings: TargetConfig,
    private readonly link: Link,
    /** That of all calls, also of the target's. */
    readonly stopwatch: Stopwatch,
  ) {
    this.#calls = new ServerCalls(link.redis, new Rest(settings.nice), stopwatch);
  }

  /**
   * Connects; what is not ready to serve is waited for, for seconds. Fails with `UNREACHABLE` or `DENIED`, or, once `signal` is
   * aborted, with its reason.
   * @param stopwatch shared with whoever wants to know of the run's calls while it goes
   */
  static async open(settings: TargetConfig, signal?: AbortSignal, stopwatch = new Stopwatch()): Promise<Contact> {
    const contact = new Contact(settings, await Link.open(settings, signal), stopwatch);
    if (contact.#isCluster || deploymentOf(settings.url)?.kind !== 'cluster') return contact;
    contact.close();
    const sentence = `Redis at ${redactUrl(settings.url)} is no node of a cluster; use redis:// or rediss://`;
    throw new Failure('DENIED', sentence);
  }

  /** Which process of which history answers there, as it said when it was connected to; `null` where it did not say, or there are several. */
  get server(): string | null {
    return this.#isCluster ? null : this.link.identity;
  }

  /** How many keys the database held, as the server said when it was connected to; 0 where it did not say. */
  get keys(): number {
    const { redis } = this.link;
    return keysOf(infoAtOpening(redis), redis.options.db ?? 0);
  }

  get #isCluster(): boolean {
    return isClusterNode(infoAtOpening(this.link.redis));
  }

  /** Its TIME, in whole seconds: the one call that this is. */
  async seconds(signal: AbortSignal): Promise<number> {
    const patience = new Patience(this.link, this.#calls, signal);
    return await patience.steadily(async () => await readSeconds(this.#calls));
  }

  /** For whoever reads a few heartbeats, and nothing else. */
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

  /** Finds out, once, what a run has to know that looks at it. Fails with `DENIED`, or with the error of Redis. */
  async examine(wishes: NodeWishes): Promise<Target> {
    if (this.#target !== null) return this.#target;
    this.#target = this.#isCluster ? await this.#examineCluster(wishes) : await this.#examineServer(wishes);
    return this.#target;
  }

  async #examineServer(wishes: NodeWishes): Promise<Target> {
    const { settings, stopwatch } = this;
    const node = await Node.examine(this.link, this.#calls, settings, { ...wishes, isSpared: this.#readsCopy });
    if (!this.#readsCopy) return Target.of(settings, node, stopwatch);
    const copy = await this.#openCopy(node, wishes);
    const { copiedServer } = await import('../replica/copiedServer.ts');
    return copiedServer(settings, { node, copy, dryRun: wishes.dryRun, stopwatch });
  }

  async #examineCluster(wishes: NodeWishes): Promise<Target> {
    // Loaded when it is needed, which for most is never.
    const { openCluster } = await import('../cluster/open.ts');
    return await openCluster(this.link, { settings: this.settings, wishes, stopwatch: this.stopwatch });
  }

  /** Ends all connections. */
  close(): void {
    if (this.#target !== null) {
      this.#target.close();
      return;
    }
    this.#copy?.close();
    this.link.close();
  }
}

/**
 * Opens a target for a run that looks at it. Fails with `UNREACHABLE` or `DENIED`, with the error of Redis, or, once `signal` is
 * aborted, with its reason.
 */
export async function openTarget(
  settings: TargetConfig,
  wishes: NodeWishes,
  stopwatch = new Stopwatch(),
): Promise<Target> {
  const contact = await Contact.open(settings, wishes.signal, stopwatch);
  try {
    return await contact.examine(wishes);
  } catch (error) {
    contact.close();
    throw error;
  }
}
