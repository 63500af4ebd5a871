/** routedCalls: sends each command of a cluster to the node that owns its keys; what names keys of several slots, slot by slot.
 *  Owns      which command names which keys, and how the answers of parts become one.
 *  Leaves    who owns a slot to members, what is tried again to each node.
 */
import type { Rest } from '../call/rest.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import type { Argument, Order, Reply } from '../call/wire.ts';
import type { Answer, Calls } from '../calls.ts';
import type { Node } from '../target/node.ts';
import type { Kind } from '../target/paces.ts';
import { keysIn, sumOf, valuesOf } from './bySlot.ts';
import type { Members } from './members.ts';
import { slotOf } from './slots.ts';

const SCRIPTS = new Set(['eval', 'evalsha']);
/** What names its key after a word of its own. */
const AFTER_A_WORD = new Set(['object', 'memory']);
/** What any node answers. */
const ANYWHERE = new Set(['time', 'publish', 'info']);

export class RoutedCalls implements Calls {
  latencyMs = 0;

  /** @param shownBy where what a node holds is asked for; left out: there itself */
  constructor(
    private readonly members: Members,
    readonly rest: Rest,
    readonly stopwatch: Stopwatch,
    private readonly shownBy: (node: Node) => Pick<Node, 'calls' | 'steadily'> = (node) => node,
  ) {}

  async send(name: string, args: readonly Argument[], replyEncoding: 'latin1' | null = 'latin1'): Promise<Answer> {
    if (name === 'mget') return await this.#mget(args, replyEncoding);
    if (name === 'exists' || name === 'unlink') return await this.#summed(name, args);
    return await this.#one(slotFor(name, args), name, args, replyEncoding);
  }

  async sendTogether(orders: readonly Order[]): Promise<{ replies: readonly (Reply | Error)[]; ms: number }> {
    const results = await Promise.allSettled(orders.map(async ([name, args]) => await this.send(name, args)));
    const ms = results.map((result) => (result.status === 'fulfilled' ? result.value.ms : 0));
    return {
      replies: results.map((result) => (result.status === 'fulfilled' ? result.value.reply : (result.reason as Error))),
      ms: Math.max(0, ...ms),
    };
  }

  async #one(slot: number, name: string, args: readonly Argument[], encoding: 'latin1' | null): Promise<Answer> {
    const kind: Kind = SCRIPTS.has(name) || name === 'unlink' ? 'sweep' : 'read';
    const attempt = async (node: Node) => {
      const place = this.shownBy(node);
      return await place.steadily(kind, () => place.calls.send(name, args, encoding));
    };
    // Of a script's keys some are here and some there, and none of them serves both.
    if (SCRIPTS.has(name)) return await this.members.at(slot, attempt);
    return await this.members.at(slot, attempt, async (node) => {
      return await node.steadily(kind, async () => {
        const { replies, ms } = await node.calls.sendTogether([
          ['asking', []],
          [name, args],
        ]);
        const reply = replies[1] ?? null;
        if (reply instanceof Error) throw reply;
        return { reply: encoding === null ? inBytes(reply) : reply, ms };
      });
    });
  }

  async #mget(args: readonly Argument[], encoding: 'latin1' | null): Promise<Answer> {
    return await valuesOf(args, async (slot, names) => await this.#one(slot, 'mget', [names], encoding));
  }

  async #summed(name: string, args: readonly Argument[]): Promise<Answer> {
    return await sumOf(args, async (slot, names) => await this.#one(slot, name, [names], 'latin1'));
  }
}

function slotFor(name: string, args: readonly Argument[]): number {
  if (ANYWHERE.has(name)) return 0;
  const [key] = SCRIPTS.has(name) ? keysIn(args.slice(2), 1) : keysIn(args.slice(AFTER_A_WORD.has(name) ? 1 : 0), 1);
  if (key === undefined) throw new TypeError(`${name} names no key, so no node of a cluster can be told for it`);
  return slotOf(key);
}

/** A reply of byte strings, as those get it who ask for bytes. */
function inBytes(reply: Reply): Reply {
  if (typeof reply === 'string') return Buffer.from(reply, 'latin1');
  return Array.isArray(reply) ? reply.map(inBytes) : reply;
}
