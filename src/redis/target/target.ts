/** target: one Redis deployment that is cleaned: its settings, and its nodes.
 *
 *      Contact: who answers there ──examine──▶ Target: what a run must know that looks at it
 *
 * A plain Redis has one node. Whoever works on a target goes through all of `nodes`, side by side or one after the other, and
 * plans what is to be removed node by node.
 */
import type { TargetConfig } from '../../config/resolve.ts';
import type { Clock } from '../../domain/heartbeat.ts';
import type { Strategy } from '../../domain/report.ts';
import { Rest } from '../call/rest.ts';
import { Stopwatch } from '../call/stopwatch.ts';
import { Calls } from '../calls.ts';
import { readSeconds } from '../clock.ts';
import { Link } from './link.ts';
import { Node, type NodeWishes } from './node.ts';
import { Paces } from './paces.ts';
import { Patience } from './patience.ts';
import type { Reader } from './reader.ts';

export class Target {
  /** @param stopwatch that of all its nodes' calls */
  constructor(
    readonly settings: TargetConfig,
    readonly nodes: readonly [Node, ...Node[]],
    readonly stopwatch: Stopwatch,
  ) {}

  /** How things are removed: by transaction, once a node takes no scripts. */
  get strategy(): Strategy {
    return this.nodes.some(({ strategy }) => strategy === 'transaction') ? 'transaction' : 'script';
  }

  /** How many keys there were as the run began, roughly. */
  get keyspace(): number {
    return this.nodes.reduce((sum, { keyspace }) => sum + keyspace, 0);
  }

  /** The clock for those without a heartbeat, which stood at no node that is known. */
  get lapsedClock(): Clock {
    return this.nodes[0].lapsedClock;
  }

  /** How many bytes of memory have been freed since the run began, as far as Redis says. */
  async freedBytes(): Promise<number> {
    const freed = await Promise.all(this.nodes.map(async (node) => await node.freedBytes()));
    return freed.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Ends all connections. */
  close(): void {
    for (const node of this.nodes) node.close();
  }
}

/** A target that answers, and of which nothing else is known yet: for a run that may not have to look at it. */
export class Contact {
  readonly #calls: Calls;
  #target: Target | null = null;

  private constructor(
    readonly settings: TargetConfig,
    private readonly link: Link,
    /** That of all calls, also of the target's. */
    readonly stopwatch: Stopwatch,
  ) {
    this.#calls = new Calls(link.redis, new Rest(settings.nice), stopwatch);
  }

  /**
   * Connects; what is not ready to serve is waited for, for seconds. Fails with `UNREACHABLE` or `DENIED`, or, once `signal` is
   * aborted, with its reason.
   * @param stopwatch shared with whoever wants to know of the run's calls while it goes
   */
  static async open(settings: TargetConfig, signal?: AbortSignal, stopwatch = new Stopwatch()): Promise<Contact> {
    return new Contact(settings, await Link.open(settings, signal), stopwatch);
  }

  /** Which process of which history answers there, as it said when it was connected to; `null` where it did not say. */
  get server(): string | null {
    return this.link.identity;
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
    return {
      calls: this.#calls,
      paces,
      steadily: async (kind, attempt) => await patience.steadily(attempt, () => paces[kind].backOff()),
    };
  }

  /** Finds out, once, what a run has to know that looks at it. Fails with `DENIED`, or with the error of Redis. */
  async examine(wishes: NodeWishes): Promise<Target> {
    if (this.#target !== null) return this.#target;
    const node = await Node.examine(this.link, this.#calls, this.settings, wishes);
    this.#target = new Target(this.settings, [node], this.stopwatch);
    return this.#target;
  }

  /** Ends all connections. */
  close(): void {
    if (this.#target === null) this.link.close();
    else this.#target.close();
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
