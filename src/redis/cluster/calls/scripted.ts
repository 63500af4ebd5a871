/** scripted: a script that is called for many slots, hundreds of calls in one go. */
import { asTaken, mostAtOnce } from '../../call/asTaken.ts';
import type { Bulk } from '../../call/bulk.ts';
import { callScript, type Script } from '../../call/script.ts';
import type { Reply } from '../../call/wire.ts';
import { each } from './each.ts';
import { partOf, type Span } from './keysBySlot.ts';
import type { RoutedCalls } from './routedCalls.ts';

/** What one call names and says; whoever sends it lets go of both. */
export interface Spelled {
  readonly keys: Bulk;
  readonly args: Bulk;
}

/**
 * Calls the script once for each span, or for parts of it where a server takes no more, at the node that owns its slot; a call whose answer
 * was lost is spelled and sent again. It must be safe to repeat.
 * @param take told of what each call returned
 * @param ready awaited before each call, or some of them; what it rejects with ends all of them
 */
export async function callBySlot(
  calls: RoutedCalls,
  script: Script,
  items: readonly Span[],
  spell: (item: Span) => Spelled,
  take: (item: Span, reply: Reply) => void,
  ready: () => Promise<void> = async () => {},
): Promise<void> {
  const byThemselves = async (some: readonly Span[]) => {
    await each(some, async (whole) => {
      await asTaken(calls, script.name, whole.numbers.length, async (from, to) => {
        await ready();
        const item = partOf(whole, from, to);
        const { keys, args } = spell(item);
        try {
          const { reply } = await callScript(calls, script, [keys], [args]);
          take(item, reply);
        } finally {
          keys.clear();
          args.clear();
        }
      });
    });
  };
  // By then its node knows the script.
  const first = calls.firstOfEachNode(items, ({ slot }) => slot);
  await byThemselves([...first]);
  const others = items.filter((item) => !first.has(item));
  const left = await calls.inBursts(
    others.flatMap((item) => partsOf(item, mostAtOnce(calls, script.name))),
    ({ slot }) => slot,
    {
      name: 'evalsha',
      ready,
      spell: (burst, item) => {
        const { keys, args } = spell(item);
        burst.open(2 + keys.count + args.count);
        burst.commands.addText(script.sha1);
        burst.commands.addText(`${keys.count}`);
        for (const bulk of [keys, args]) {
          bulk.forEach((bytes, from, to) => {
            burst.commands.add(bytes, from, to);
          });
          bulk.clear();
        }
      },
      take: (item, reply) => {
        if (reply instanceof Error) return false;
        take(item, reply);
        return true;
      },
    },
  );
  await byThemselves(left);
}

function partsOf(span: Span, most: number): readonly Span[] {
  const { length } = span.numbers;
  if (length <= most) return [span];
  return Array.from({ length: Math.ceil(length / most) }, (_, n) => partOf(span, n * most, (n + 1) * most));
}
