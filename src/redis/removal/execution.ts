/** execution: what stands between MULTI and EXEC, sent so that all of it is done or nothing, also by a proxy that refuses some of it. */
import { Bulk } from '../call/bulk.ts';
import type { Order, Reply } from '../call/wire.ts';

/** Sends orders together; resolves to their answers. */
export type Step = (orders: readonly Order[]) => Promise<readonly (Reply | Error)[]>;

export function firstError(replies: readonly unknown[]): Error | undefined {
  return replies.find((reply): reply is Error => reply instanceof Error);
}

/** Of a connection whose MULTI was accepted. */
export class Execution {
  /** The largest orders that were taken: so many arguments, so many bytes. */
  #mostArgs = 0;
  #mostBytes = 0;

  /**
   * Does these in one step; the answers, that of EXEC last. EXEC goes with them where as large ones were taken before. Else it waits for
   * their answers: Redis discards all where it refused one, a proxy that refuses one for its size would let it do the others.
   */
  async of(orders: readonly Order[], step: Step): Promise<readonly (Reply | Error)[]> {
    const args = Math.max(0, ...orders.map(argumentsIn));
    const bytes = Math.max(0, ...orders.map(bytesIn));
    if (args <= this.#mostArgs && bytes <= this.#mostBytes) return await step([...orders, ['exec', []]]);
    const queued = await step(orders);
    if (firstError(queued) !== undefined) {
      await step([['discard', []]]);
      return queued;
    }
    this.#mostArgs = Math.max(args, this.#mostArgs);
    this.#mostBytes = Math.max(bytes, this.#mostBytes);
    return [...queued, ...(await step([['exec', []]]))];
  }
}

function argumentsIn([, args]: Order): number {
  return args.reduce<number>((sum, arg) => sum + (arg instanceof Bulk ? arg.count : 1), 0);
}

function bytesIn([, args]: Order): number {
  return args.reduce<number>((sum, arg) => sum + (arg instanceof Bulk ? arg.bytes.length : String(arg).length), 0);
}
