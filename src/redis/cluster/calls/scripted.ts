/** scripted: a script that is called for many slots, hundreds of calls in one go. */
import type { Bulk } from '../../call/bulk.ts';
import { callScript, type Script } from '../../call/script.ts';
import type { Reply } from '../../call/wire.ts';
import { each } from './each.ts';
import type { RoutedCalls } from './routedCalls.ts';

/** What one call names and says; whoever sends it lets go of both. */
export interface Spelled {
  readonly keys: Bulk;
  readonly args: Bulk;
}

/**
 * Calls the script once for each item, at the node that owns its slot; a call whose answer was lost is spelled and sent again.
 * @param take told of what each call returned
 * @param ready awaited before each call, or some of them; what it rejects with ends all of them
 */
export async function callBySlot<T extends { readonly slot: number }>(
  calls: RoutedCalls,
  script: Script,
  items: readonly T[],
  spell: (item: T) => Spelled,
  take: (item: T, reply: Reply) => void,
  ready: () => Promise<void> = async () => {},
): Promise<void> {
  const byThemselves = async (some: readonly T[]) => {
    await each(some, async (item) => {
      await ready();
      const { keys, args } = spell(item);
      try {
        const { reply } = await callScript(calls, script, [keys], [args]);
        take(item, reply);
      } finally {
        keys.clear();
        args.clear();
      }
    });
  };
  // By then its node knows the script.
  const first = calls.firstOfEachNode(items, ({ slot }) => slot);
  await byThemselves([...first]);
  const left = await calls.inBursts(
    items.filter((item) => !first.has(item)),
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
