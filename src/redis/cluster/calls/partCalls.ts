/** partCalls: sends commands to one node of a cluster, as if it were a server of its own: for whoever looks at each by itself. */
import { type Answer, ServerCalls } from '../../call/calls.ts';
import type { Argument } from '../../call/wire.ts';
import { sumOf, valuesOf } from './bySlot.ts';

export class PartCalls extends ServerCalls {
  override async send(
    name: string,
    args: readonly Argument[],
    replyEncoding: 'latin1' | null = 'latin1',
  ): Promise<Answer> {
    const ask = async (part: readonly Argument[]) => await super.send(name, part, replyEncoding);
    if (name === 'mget') return await valuesOf(args, async (_, names) => await ask([names]));
    if (name === 'exists') return await sumOf(args, async (_, names) => await ask([names]));
    return await ask(args);
  }
}
