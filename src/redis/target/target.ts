/** target: one Redis deployment that is cleaned: its settings, and its nodes.
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
import { Link } from './link.ts';
import { Node, type NodeWishes } from './node.ts';

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

/**
 * Opens a target for one run: connects, and finds out what the run has to know. What is not ready to serve is waited for, for seconds.
 * Fails with `UNREACHABLE` or `DENIED`, with the error of Redis, or, once `signal` is aborted, with its reason.
 * @param stopwatch shared with whoever wants to know of the run's calls while it goes
 */
export async function openTarget(
  settings: TargetConfig,
  wishes: NodeWishes,
  stopwatch = new Stopwatch(),
): Promise<Target> {
  const link = await Link.open(settings, wishes.signal);
  try {
    const calls = new Calls(link.redis, new Rest(settings.nice), stopwatch);
    return new Target(settings, [await Node.examine(link, calls, settings, wishes)], stopwatch);
  } catch (error) {
    link.close();
    throw error;
  }
}
