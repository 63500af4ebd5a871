/** slotWatch: whom a walk over a cluster may have missed, since slots moved while it was under way.
 *
 * A walk goes node by node: what goes over to a node whose place for it has been passed is seen by nobody. So it is noted which slots
 * moved since it began, and all that these hold is listed before anything is removed: first at the node that they leave, then at the one
 * they come to, so that nothing slips by between the two.
 */
import { Failure } from '../../../domain/failure.ts';
import type { UnownedKeys } from '../../../domain/report.ts';
import type { Moves } from '../../target/moves.ts';
import type { Node } from '../../target/node.ts';
import type { Place } from '../../target/place.ts';
import { each } from '../calls/each.ts';
import type { Members } from './members.ts';
import { Unowned } from './unowned.ts';

/** What one call lists: they take Redis half a millisecond. */
const MOST_LISTED = 10_000;
/** As often it is listed what moved while that was listed which moved before. */
const MOST_ROUNDS = 100;
const SLOTS_AT_ONCE = 16;
const LOOK_EVERY_MS = 100;

export class SlotWatch implements Moves {
  #lookedAt = 0;
  #looking = false;
  readonly #unowned: Unowned;

  constructor(private readonly members: Members) {
    this.#unowned = new Unowned(members);
  }

  shown(place: Place, keys: readonly Buffer[]): void {
    this.#unowned.see(place as Node, keys);
  }

  async unowned(): Promise<UnownedKeys> {
    return await this.#unowned.settle();
  }

  async begin(): Promise<void> {
    this.#unowned.forget();
    await this.members.beginToWatch();
  }

  look(): void {
    const now = performance.now();
    if (this.#looking || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    this.#looking = true;
    void this.members
      .refresh()
      // What is wrong shows again when it is asked what moved.
      .catch(() => {})
      .finally(() => {
        this.#looking = false;
      });
  }

  async *missed(): AsyncGenerator<readonly Buffer[]> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const moved = await this.members.takeMoved();
      if (moved.length === 0) return;
      for (let from = 0; from < moved.length; from += SLOTS_AT_ONCE) {
        const keys: Buffer[] = [];
        await each(moved.slice(from, from + SLOTS_AT_ONCE), async (slot) => {
          // Given away and not taken yet, it may hold anybody, at whoever takes it.
          await this.members.ownerAwaited(slot);
          for (const node of this.members.holdersOf(slot)) for (const key of await listed(node, slot)) keys.push(key);
        });
        yield keys;
      }
    }
    throw new Failure('UNREACHABLE', 'slots of the cluster keep moving, so nobody can tell who lives there');
  }
}

/** All keys of a slot that a node holds. */
async function listed(node: Node, slot: number): Promise<readonly Buffer[]> {
  const { calls } = node;
  const { reply: count } = await node.steadily('scan', () => calls.send('cluster', ['COUNTKEYSINSLOT', slot]));
  if (Number(count) > MOST_LISTED) {
    throw new Failure(
      'UNREACHABLE',
      `slot ${slot} holds ${count} keys and is being moved: who lives there can be told once it has`,
    );
  }
  // Some may be born meanwhile.
  const most = 2 * MOST_LISTED;
  const { reply } = await node.steadily('scan', () => calls.send('cluster', ['GETKEYSINSLOT', slot, most], null));
  return reply as Buffer[];
}
