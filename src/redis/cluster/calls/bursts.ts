/** bursts: small commands for many slots, sent to the nodes that own them, hundreds in one go.
 *
 *  Owns      who gets which of them, and how many are under way.
 *  Leaves    what could not be done that way (a slot that is elsewhere, a connection that was cut) to whoever sent them, to be done slot
 *            by slot.
 */
import { Burst } from '../../call/burst.ts';
import { mayHaveBeenDone } from '../../call/lost.ts';
import type { Reply } from '../../call/wire.ts';
import type { Node } from '../../target/node.ts';
import type { Members } from '../nodes/members.ts';

/** What is sent of each item: one command of this name. */
export interface Commands<T> {
  readonly name: string;
  /** Awaited before each burst; what it rejects with ends all of them. */
  readonly ready?: () => Promise<void>;
  /** A stream at a node without which none of them is done there; `null`: none shows that, and they are left. Left out: they are done at any time. */
  readonly passAt?: (node: Node) => string | null;
  /** How many may go at once, as it is now; left out: as many as a burst holds. */
  readonly most?: () => number;
  /** Spells it. */
  readonly spell: (burst: Burst, item: T) => void;
  /** Takes the answer. Whether that settles it; if not, it is among those that are left. */
  readonly take: (item: T, reply: Reply | Error) => boolean;
  /** Told when nobody knows of some of them whether they were, or will yet be, done. */
  readonly onLost?: () => void;
}

/**
 * Sends a command for each item to the node that owns its slot. Resolves once all were answered or lost, to those that are to be done
 * slot by slot, in no order. Rejects with what is no answer and no lost connection, once all that were begun have ended.
 */
export async function sendInBursts<T>(
  members: Members,
  items: Iterable<T>,
  slotOf: (item: T) => number,
  commands: Commands<T>,
): Promise<readonly T[]> {
  const left: T[] = [];
  const byNode = new Map<Node, T[]>();
  for (const item of items) {
    const node = members.ownerOf(slotOf(item));
    if (node === null) left.push(item);
    else if (byNode.get(node)?.push(item) === undefined) byNode.set(node, [item]);
  }
  const send = async (node: Node, some: readonly T[], burst: Burst): Promise<void> => {
    let replies: readonly (Reply | Error)[];
    try {
      replies = await node.calls.sendBurst(burst);
    } catch (error) {
      if (!mayHaveBeenDone(error)) throw error;
      commands.onLost?.();
      left.push(...some);
      return;
    }
    for (const [i, item] of some.entries()) if (!commands.take(item, replies[i] ?? null)) left.push(item);
  };
  let hasFailed = false;
  const lane = async (node: Node, next: IterableIterator<T>): Promise<void> => {
    try {
      while (!hasFailed) {
        await commands.ready?.();
        const pass = commands.passAt?.(node);
        if (pass === null) {
          left.push(...next);
          return;
        }
        const burst = new Burst(commands.name, pass);
        const some: T[] = [];
        const most = Math.min(node.calls.mostInBurst, commands.most?.() ?? Number.POSITIVE_INFINITY);
        while (some.length < most && !burst.isFull) {
          const { done, value } = next.next();
          if (done) break;
          commands.spell(burst, value);
          some.push(value);
        }
        await send(node, some, burst);
        if (some.length === 0) return;
        await node.calls.rest.take();
      }
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  };
  const ended = await Promise.allSettled(
    [...byNode].flatMap(([node, own]) => {
      const next = own.values();
      return Array.from({ length: node.lanes }, async () => await lane(node, next));
    }),
  );
  const failed = ended.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return left;
}
