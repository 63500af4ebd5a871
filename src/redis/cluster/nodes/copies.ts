/** copies: a replica of each node of a cluster that is walked, by which the whole is read.
 *  Owns      which replica stands for which node.
 *  Leaves    that it has caught up to replica/freshness; who owns a slot, and what moves, to the primaries, which alone say so.
 */
import { Failure } from '../../../domain/failure.ts';
import type { Copy, CopyParts } from '../../replica/copy.ts';
import { openOneOf } from '../../replica/find.ts';
import { ReadPlace } from '../../replica/readPlace.ts';
import type { Moves } from '../../target/moves.ts';
import type { Node } from '../../target/node.ts';
import type { Place } from '../../target/place.ts';
import { RoutedCalls } from '../calls/routedCalls.ts';
import type { Whole } from '../whole.ts';
import { copyAddress } from './address.ts';
import type { Members } from './members.ts';
import type { Member } from './topology.ts';

const NONE =
  'their primary has no replica that is up, as readFrom: replica asks for; start one, or set readFrom: primary';

interface Shown {
  readonly copy: Copy;
  readonly place: ReadPlace;
}

export class Copies {
  readonly #shown = new Map<Node, Shown>();

  constructor(private readonly parts: CopyParts) {}

  /**
   * Opens a replica of a node. Fails as `openOneOf` does; where the node has none that is up (`UNREACHABLE`), since none can be named either.
   * @param part a tag that puts names where the node serves them
   */
  async open(node: Node, replicas: readonly Member[], part: string): Promise<void> {
    const { settings, wishes } = this.parts;
    if (replicas.length === 0) throw new Failure('UNREACHABLE', NONE);
    const addresses = replicas.map((one) => copyAddress(settings, one));
    const copy = await openOneOf(addresses, node, { ...this.parts, wishes: { ...wishes, part } });
    this.#shown.set(node, { copy, place: new ReadPlace(copy, node) });
  }

  /** Where a node's keys are read. */
  of(node: Node): Place {
    return this.#shownOf(node).place;
  }

  /** The names of those that stand for these. */
  namesOf(nodes: readonly Node[]): string {
    const names = nodes.map((node) => this.#shownOf(node).copy.at);
    return `the replicas at ${names.join(', ')}`;
  }

  /** The cluster as one place that is read at the replicas, where things are removed at the primaries. */
  whole(members: Members, original: Whole): Place {
    const { rest, stopwatch } = original.calls;
    const calls = new RoutedCalls(members, rest, stopwatch, (node) => this.of(node));
    const steadily = async <T>(_: unknown, attempt: () => Promise<T>): Promise<T> => await attempt();
    return new ReadPlace(
      { calls, steadily, paces: original.paces, lanes: original.lanes, keyspace: original.keyspace },
      original,
    );
  }

  /** What moves, and for each walk that the replicas show who was there before it. */
  watching(moves: Moves): Moves {
    const catchUp = async () => {
      await Promise.all([...this.#shown.values()].map(async ({ copy }) => await copy.catchUp()));
    };
    return {
      begin: async () => {
        await moves.begin();
        await catchUp();
      },
      look: () => moves.look(),
      shown: (place, keys) => {
        const [node] = [...this.#shown].find(([, shown]) => shown.place === place) ?? [];
        if (node !== undefined) moves.shown(node, keys);
      },
      unowned: async () => await moves.unowned(),
      missed: async function* () {
        for await (const keys of moves.missed()) {
          // The primaries have named them; of a dry run they are read at replicas.
          await catchUp();
          yield keys;
        }
      },
    };
  }

  close(): void {
    for (const { copy } of this.#shown.values()) copy.close();
  }

  #shownOf(node: Node): Shown {
    const shown = this.#shown.get(node);
    if (shown === undefined) throw new TypeError('a node of the cluster was opened, and no replica of it');
    return shown;
  }
}
