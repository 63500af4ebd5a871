/** trash: what lies in the trash of a cluster, at whichever node, found and brought back slot by slot. */
import type { TargetConfig } from '../../config/resolve.ts';
import { Rest } from '../call/rest.ts';
import { Stopwatch } from '../call/stopwatch.ts';
import { keyPages } from '../keyspace/keyPages.ts';
import { piecesOf } from '../pace/weight.ts';
import { type Became, lookAt, type Restored, type Thing } from '../restore.ts';
import type { Link } from '../target/link.ts';
import type { Node } from '../target/node.ts';
import { bringBackTo, type Tell, type TrashPlace } from '../trash/place.ts';
import { LeftAside } from './aside/leftAside.ts';
import { inTime } from './aside/lease.ts';
import { each } from './calls/each.ts';
import { RoutedCalls } from './calls/routedCalls.ts';
import { positionsBySlot } from './calls/slots.ts';
import { Members } from './nodes/members.ts';
import { SlotWatch } from './nodes/slotWatch.ts';

/** So many go at once, of a few in each slot; a run that would set something aside waits as long, a second or so. */
const MOST_THINGS = 20_000;
/** So many names of ordinary length, of one slot, go in one call: they take Redis 1 ms. */
const MOST_OF_SLOT = 400;

export class ClusterTrash implements TrashPlace {
  readonly most = MOST_THINGS;
  readonly #left: LeftAside;

  private constructor(
    private readonly members: Members,
    calls: RoutedCalls,
    private readonly signal: AbortSignal,
  ) {
    const nowSeconds = Math.min(...members.nodes.map(({ clock }) => clock.nowSeconds));
    this.#left = new LeftAside(members, calls, nowSeconds, signal);
  }

  /** Opens all nodes that own slots. Fails as opening them for a run does. @param seed leads to one of them; it is closed */
  static async open(seed: Link, settings: TargetConfig, signal: AbortSignal): Promise<ClusterTrash> {
    const [rest, stopwatch] = [new Rest(settings.nice), new Stopwatch()];
    // Who may bring things back shows when that is done, as on one server.
    const wishes = { dryRun: true, signal, warn: () => {} };
    const members = await Members.open(seed, { settings, wishes, rest, stopwatch });
    seed.close();
    return new ClusterTrash(members, new RoutedCalls(members, rest, stopwatch), signal);
  }

  async *pages(glob: string): AsyncGenerator<readonly Buffer[]> {
    const moves = new SlotWatch(this.members);
    await moves.begin();
    for (const node of this.members.nodes) {
      for await (const keys of keyPages(node, glob)) {
        this.signal.throwIfAborted();
        moves.look();
        yield keys;
      }
    }
    // Of a slot all that it holds; whoever reads names leaves what is none of the trash.
    yield* moves.missed();
  }

  async bringBack(things: readonly Thing[], tell: Tell): Promise<void> {
    await this.#left.withNothingAside(async (turn) => {
      const bringing = this.#bySlot(things, tell, async (node, some, slot) => {
        await turn.insist();
        return await bringBackTo(node, some, turn.untilIn(slot));
      });
      await inTime(bringing);
    });
  }

  async lookAt(things: readonly Thing[]): Promise<Restored> {
    const became: Became[] = things.map(() => 'gone');
    const tell: Tell = (at, one) => {
      became[at] = one;
    };
    const ms = await this.#bySlot(things, tell, async (node, some) => {
      return await node.steadily('read', async () => await lookAt(node.calls, some));
    });
    return { became, ms };
  }

  /** Resolves to how long the slowest call took, in ms. */
  async #bySlot(
    things: readonly Thing[],
    tell: Tell,
    ask: (node: Node, some: readonly Thing[], slot: number) => Promise<Restored>,
  ): Promise<number> {
    let slowest = 0;
    const bytesOf = (at: number) => (things[at] as Thing).name.length;
    const parts = [...positionsBySlot(things.map(({ name }) => name))].flatMap(([slot, positions]) =>
      [...piecesOf(positions, () => MOST_OF_SLOT, bytesOf)].map((some) => ({ slot, some })),
    );
    await each(parts, async ({ slot, some }) => {
      const asked = some.map((at) => things[at] as Thing);
      const { became, ms } = await this.members.at(slot, async (node) => {
        const answer = await ask(node, asked, slot);
        await node.calls.rest.take();
        return answer;
      });
      slowest = Math.max(slowest, ms);
      for (const [i, at] of some.entries()) tell(at, became[i] ?? 'gone');
    });
    return slowest;
  }

  /** Ends all connections. */
  close(): void {
    this.members.close();
  }
}
