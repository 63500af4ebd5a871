/** unowned: keys that a node shows but no longer owns, as an interrupted resharding leaves them. Nobody is led to them: whoever asks for
 *  such a name asks the owner of its slot. So they can be neither judged nor removed, and only somebody who mends the cluster can.
 */
import { textOf } from '../../../domain/nameText.ts';
import { UNREADABLE_SAMPLE, type UnownedKeys } from '../../../domain/report.ts';
import type { Node } from '../../target/node.ts';
import { slotOf } from '../calls/slots.ts';
import type { Members } from './members.ts';

interface Seen {
  readonly names: Set<string>;
  count: number;
}

export class Unowned {
  #seen = new Map<Node, Map<number, Seen>>();

  constructor(private readonly members: Members) {}

  forget(): void {
    this.#seen = new Map();
  }

  /** Takes in what a walk over a node shows. */
  see(node: Node, keys: readonly Buffer[]): void {
    for (const key of keys) {
      const slot = slotOf(key);
      if (this.members.ownerOf(slot) !== node) this.#note(node, slot, key);
    }
  }

  #note(node: Node, slot: number, key: Buffer): void {
    const slots = this.#seen.get(node) ?? new Map<number, Seen>();
    this.#seen.set(node, slots);
    const seen = slots.get(slot) ?? { names: new Set<string>(), count: 0 };
    slots.set(slot, seen);
    seen.count++;
    if (seen.names.size < UNREADABLE_SAMPLE) seen.names.add(textOf(key));
  }

  /** Those that are still there, once all that moved has been followed; what has only moved meanwhile is none. */
  async settle(): Promise<UnownedKeys> {
    const sample: string[] = [];
    let count = 0;
    for (const [node, slots] of this.#seen) {
      for (const [slot, seen] of slots) {
        if (this.members.holdersOf(slot).includes(node)) continue;
        const ask = () => node.calls.send('cluster', ['COUNTKEYSINSLOT', slot]);
        const held = Number((await node.steadily('scan', ask)).reply);
        // A walk may show one twice.
        count += Math.min(held, seen.count);
        if (held > 0) sample.push(...[...seen.names].slice(0, UNREADABLE_SAMPLE - sample.length));
      }
    }
    return { count, sample };
  }
}
