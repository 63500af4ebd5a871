/** target: one Redis deployment that is cleaned: its settings, and its nodes.
 *
 * A plain Redis has one node, where everything is asked and removed. A cluster has one for each primary, which are walked side by side;
 * asked and removed is at all of them together, the `whole`. With `readFrom: replica` a copy of each is walked and read instead.
 */
import type { TargetConfig } from '../../config/resolve.ts';
import type { Clock } from '../../domain/heartbeat.ts';
import type { Strategy } from '../../domain/report.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import type { Births } from './births.ts';
import type { Moves } from './moves.ts';
import type { Node } from './node.ts';
import type { Place } from './place.ts';

/** What a target consists of. */
export interface TargetParts {
  /** Those that are to be walked, as they are now. */
  readonly nodes: () => readonly [Place, ...Place[]];
  /** The servers that hold what they show. */
  readonly primaries: () => readonly Node[];
  /** Where its things are asked for and removed. */
  readonly whole: Place;
  /** Where what is found is read, of which everything is proved before it goes. */
  readonly reads: Place;
  /** What is read instead of those, in words; `null`: nothing. */
  readonly copy: string | null;
  /** The clock for those without a heartbeat, which stood at no node that is known. */
  readonly lapsedClock: Clock;
  /** `null`: nothing ever goes from one node to another. */
  readonly moves: Moves | null;
  /** What may tell of heartbeats that are written meanwhile; `null`: nothing does. */
  readonly births: Births | null;
  /** Ends all connections. */
  readonly close: () => void;
}

export class Target {
  readonly whole: Place;
  readonly reads: Place;
  readonly copy: string | null;
  readonly lapsedClock: Clock;
  readonly moves: Moves | null;
  readonly births: Births | null;
  /** How many keys there were as the run began, roughly. */
  readonly keyspace: number;

  /** @param stopwatch that of all its nodes' calls */
  constructor(
    readonly settings: TargetConfig,
    private readonly parts: TargetParts,
    readonly stopwatch: Stopwatch,
  ) {
    this.whole = parts.whole;
    this.reads = parts.reads;
    this.copy = parts.copy;
    this.lapsedClock = parts.lapsedClock;
    this.moves = parts.moves;
    this.births = parts.births;
    this.keyspace = this.nodes.reduce((sum, { keyspace }) => sum + keyspace, 0);
  }

  /** A target that is one server. */
  static of(settings: TargetConfig, node: Node, stopwatch: Stopwatch): Target {
    const { lapsedClock } = node;
    const parts: TargetParts = {
      nodes: () => [node],
      primaries: () => [node],
      whole: node,
      reads: node,
      copy: null,
      lapsedClock,
      moves: null,
      births: node.births,
      close: () => node.close(),
    };
    return new Target(settings, parts, stopwatch);
  }

  /** Those that are to be walked, as they are now. */
  get nodes(): readonly [Place, ...Place[]] {
    return this.parts.nodes();
  }

  /** How things are removed: by transaction, once the server takes no scripts. */
  get strategy(): Strategy {
    return this.whole.strategy;
  }

  /** How many bytes of memory have been freed since the run began, as far as Redis says. */
  async freedBytes(): Promise<number> {
    const freed = await Promise.all(this.parts.primaries().map(async (node) => await node.freedBytes()));
    return freed.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Ends all connections. */
  close(): void {
    this.parts.close();
  }
}
