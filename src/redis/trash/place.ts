/** place: where a trash is looked into and emptied: one server, or a whole cluster, by the same door. */
import { asTaken } from '../call/asTaken.ts';
import { mayHaveBeenDone } from '../call/lost.ts';
import type { ServerCalls } from '../call/calls.ts';
import { keyPages, type Walked } from '../keyspace/keyPages.ts';
import { type Became, bringBack, inAll, lookAt, type Restored, type Thing } from '../restore.ts';
import type { Kind } from '../pace/paces.ts';

/** Told of things, by their positions among those that were to come back. */
export type Tell = (at: number, became: Became) => void;

export interface TrashPlace {
  /** Keys that a pattern finds, page by page; some of them perhaps twice. */
  pages(glob: string): AsyncGenerator<readonly Buffer[]>;
  /** How many things may be brought back at once, as it is now. */
  readonly most: number;
  /** Brings things back, never over something that exists. What became of them is told call by call, so that it is known where one fails. */
  bringBack(things: readonly Thing[], tell: Tell): Promise<void>;
  /** What would become of things; writes nothing. */
  lookAt(things: readonly Thing[]): Promise<Restored>;
}

/** A server that holds things, and is asked by calls of its own. */
export interface TrashServer extends Walked {
  readonly calls: ServerCalls;
  steadily<T>(kind: Kind, attempt: () => Promise<T>): Promise<T>;
}

/** One server. */
export class ServerTrash implements TrashPlace {
  constructor(private readonly server: TrashServer) {}

  pages(glob: string): AsyncGenerator<readonly Buffer[]> {
    return keyPages(this.server, glob);
  }

  get most(): number {
    return this.server.paces.sweep.size;
  }

  async bringBack(things: readonly Thing[], tell: Tell): Promise<void> {
    const { paces, calls } = this.server;
    const restored = await bringBackTo(this.server, things);
    for (const [at, one] of restored.became.entries()) tell(at, one);
    paces.tell('sweep', things.length, restored.ms);
    await calls.rest.take();
  }

  async lookAt(things: readonly Thing[]): Promise<Restored> {
    const { calls } = this.server;
    const seen = await this.server.steadily('sweep', async () => await lookAt(calls, things));
    await calls.rest.take();
    return seen;
  }
}

/** Brings things back to one server, through calls that are lost. @param until as `bringBack` has it */
export async function bringBackTo(
  server: TrashServer,
  things: readonly Thing[],
  until: number | null = null,
): Promise<Restored> {
  let wasLost = false;
  const { calls } = server;
  const send = async (from: number, to: number) => {
    try {
      return await bringBack(calls, things.slice(from, to), until);
    } catch (error) {
      wasLost ||= mayHaveBeenDone(error);
      throw error;
    }
  };
  const answer = inAll(
    await server.steadily('sweep', async () => await asTaken(calls, 'restore', things.length, send)),
  );
  // Whose answer was lost came back by that call.
  return wasLost ? { ...answer, became: answer.became.map((one) => (one === 'gone' ? 'restored' : one)) } : answer;
}
