/** routedCalls: sends each command of a cluster to the node that owns its keys; what names keys of several slots, slot by slot.
 *  Owns      which command names which keys, and how the answers of parts become one.
 *  Leaves    who owns a slot to members, what is tried again to each node, many small commands in one go to bursts.
 */
import { Bulk } from '../../call/bulk.ts';
import { asTaken, mostAtOnce } from '../../call/asTaken.ts';
import type { Answer, Calls } from '../../call/calls.ts';
import { mayHaveBeenDone } from '../../call/lost.ts';
import type { Rest } from '../../call/rest.ts';
import type { Stopwatch } from '../../call/stopwatch.ts';
import type { Argument, Order, Reply } from '../../call/wire.ts';
import type { Kind } from '../../pace/paces.ts';
import { isTooLarge } from '../../rights/tooLarge.ts';
import type { Node } from '../../target/node.ts';
import type { Place } from '../../target/place.ts';
import type { Members } from '../nodes/members.ts';
import { type Commands, sendInBursts } from './bursts.ts';
import { keysIn } from './bySlot.ts';
import { each } from './each.ts';
import { KeysBySlot, partOf, type Span } from './keysBySlot.ts';
import { slotOf } from './slots.ts';

const SCRIPTS = new Set(['eval', 'evalsha']);
/** What names its key after a word of its own. */
const AFTER_A_WORD = new Set(['object', 'memory']);
/** What any node answers. */
const ANYWHERE = new Set(['time', 'publish', 'info']);

/** So many values of one slot are asked for at once, long ones and those with long names fewer. */
const MOST_READ = 100;
/** Of so many bytes the values of one burst may be, as far as those read before tell. */
const MOST_BYTES_READ = 256 * 1024;

export class RoutedCalls implements Calls {
  latencyMs = 0;
  /** How many calls were lost: nobody knows whether Redis did, or will yet do, what they ask. */
  lostCount = 0;
  /** Of the values read of late, in bytes: of the last reading, half of that of the one before, and so on; `null`: none was read. */
  #largest: number | null = null;

  /** @param shownBy where what a node holds is asked for; left out: there itself */
  constructor(
    private readonly members: Members,
    readonly rest: Rest,
    readonly stopwatch: Stopwatch,
    private readonly shownBy: ((node: Node) => Pick<Place, 'calls' | 'steadily'>) | null = null,
  ) {}

  async send(name: string, args: readonly Argument[], replyEncoding: 'latin1' | null = 'latin1'): Promise<Answer> {
    const ask = { mget: this.#mget, exists: this.#exists }[name];
    if (ask === undefined) return await this.#one(slotFor(name, args), name, args, replyEncoding);
    const startedAt = performance.now();
    const names = args.map((arg) => (arg instanceof Bulk ? arg : Bulk.of([String(arg)])));
    const reply = await ask.call(this, new KeysBySlot(names));
    for (const [i, arg] of args.entries()) if (!(arg instanceof Bulk)) names[i]?.clear();
    return { reply: replyEncoding === null ? reply : inText(reply), ms: performance.now() - startedAt };
  }

  async sendTogether(orders: readonly Order[]): Promise<{ replies: readonly (Reply | Error)[]; ms: number }> {
    const results = await Promise.allSettled(orders.map(async ([name, args]) => await this.send(name, args)));
    const ms = results.map((result) => (result.status === 'fulfilled' ? result.value.ms : 0));
    return {
      replies: results.map((result) => (result.status === 'fulfilled' ? result.value.reply : (result.reason as Error))),
      ms: Math.max(0, ...ms),
    };
  }

  /**
   * Sends a command for each item, hundreds in one go. Resolves to those that are to be done slot by slot, by `send`: all of them where
   * replicas are read, which must show how far they are with each call.
   */
  async inBursts<T>(items: Iterable<T>, slotOf: (item: T) => number, commands: Commands<T>): Promise<readonly T[]> {
    if (this.shownBy !== null) return [...items];
    const onLost = () => this.lostCount++;
    return await sendInBursts(this.members, items, slotOf, { ...commands, onLost });
  }

  /** The first of these for each node. */
  firstOfEachNode<T>(items: Iterable<T>, slotOf: (item: T) => number): ReadonlySet<T> {
    const firsts = new Map<Node | null, T>();
    for (const item of items) {
      const node = this.members.ownerOf(slotOf(item));
      if (!firsts.has(node)) firsts.set(node, item);
    }
    return new Set(firsts.values());
  }

  /** The values by place; `null` of what is gone, or no string. */
  async values(keys: KeysBySlot): Promise<readonly (Buffer | null)[]> {
    const values: (Buffer | null)[] = Array.from({ length: keys.count }, () => null);
    let largest = 0;
    const take = ({ numbers }: Span, reply: Reply | Error): boolean => {
      if (!Array.isArray(reply)) return false;
      for (const [i, number] of numbers.entries()) {
        const value = reply[i] as Buffer | null;
        largest = Math.max(largest, value?.length ?? 0);
        values[keys.places[number] as number] = value;
      }
      // Others that are under way go by it at once.
      this.#largest = Math.max(this.#largest ?? 0, largest);
      return true;
    };
    const known = this.#largest;
    const most = known === null ? 1 : Math.min(MOST_READ, mostAtOnce(this, 'mget'));
    const spans = keys.spansOf(keys.numbers, most, () => known ?? 0);
    const together = spans.reduce((most, { numbers }) => Math.max(most, numbers.length), 1);
    const left = await this.inBursts(spans, ({ slot }) => slot, {
      name: 'mget',
      // The first of all show how large they are.
      most: () => Math.max(1, Math.floor(MOST_BYTES_READ / together / Math.max(1, this.#largest ?? MOST_BYTES_READ))),
      spell: (burst, { numbers }) => {
        burst.open(numbers.length);
        for (const number of numbers) keys.addTo(burst.commands, number);
      },
      take,
    });
    await each(left, async (span) => {
      await asTaken(this, 'mget', span.numbers.length, async (from, to) => {
        const part = partOf(span, from, to);
        const names = new Bulk();
        for (const number of part.numbers) keys.addTo(names, number);
        const { reply } = await this.#one(part.slot, 'mget', [names], null).finally(() => names.clear());
        take(part, reply);
      });
    });
    this.#largest = Math.max(largest, (this.#largest ?? 0) / 2);
    return values;
  }

  /** Whether they exist, by place. */
  async exist(keys: KeysBySlot): Promise<readonly boolean[]> {
    const exist = Array.from({ length: keys.count }, () => false);
    const take = (number: number, reply: Reply | Error): boolean => {
      exist[keys.places[number] as number] = reply === 1;
      return typeof reply === 'number';
    };
    const left = await this.inBursts(keys.numbers, (number) => keys.slotOf(number), {
      name: 'exists',
      spell: (burst, number) => {
        burst.open(1);
        keys.addTo(burst.commands, number);
      },
      take,
    });
    await each(left, async (number) => {
      const name = new Bulk();
      keys.addTo(name, number);
      const { reply } = await this.#one(keys.slotOf(number), 'exists', [name], null);
      name.clear();
      take(number, reply);
    });
    return exist;
  }

  async #mget(keys: KeysBySlot): Promise<Reply> {
    return (await this.values(keys)) as Reply;
  }

  async #exists(keys: KeysBySlot): Promise<Reply> {
    return (await this.exist(keys)).filter((exists) => exists).length;
  }

  async #one(slot: number, name: string, args: readonly Argument[], encoding: 'latin1' | null): Promise<Answer> {
    const kind: Kind = SCRIPTS.has(name) || name === 'unlink' ? 'sweep' : 'read';
    const attempt = async (node: Node) => {
      const place = this.shownBy?.(node) ?? node;
      return await place.steadily(kind, async () => {
        return await this.#noticingLoss(() => place.calls.send(name, args, encoding));
      });
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

  async #noticingLoss<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      // What was refused for its size, or that of its answer, is asked again in parts, which shows what was done.
      if (mayHaveBeenDone(error) && !isTooLarge(error)) this.lostCount++;
      throw error;
    }
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

/** The other way round. */
function inText(reply: Reply): Reply {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return Array.isArray(reply) ? reply.map(inText) : reply;
}
