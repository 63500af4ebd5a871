/** lease: until when the nodes themselves do what goes by a word: what comes later, since its sender stood still or the way did, they
 * refuse. A word is a killed one's once it is a minute old; the lease of it ends before, by each node's own clock.
 */
import { Failure } from '../../../domain/failure.ts';
import { cameTooLate } from '../../call/lost.ts';
import { readSeconds } from '../../target/clock.ts';
import type { Node } from '../../target/node.ts';
import type { Members } from '../nodes/members.ts';

/** Less than a word lasts, by more than it takes to look at clocks that are read one after the other. */
const LEASE_SECONDS = 45;

export class Lease {
  #until: ReadonlyMap<Node, number> = new Map();

  constructor(private readonly members: Members) {}

  /** Begins it anew, by the clocks of all nodes. Resolves to the earliest of these, in seconds: the word's. */
  async renew(): Promise<number> {
    const told = this.members.nodes.map(async (node) => {
      return [node, await node.steadily('read', async () => await readSeconds(node.calls))] as const;
    });
    const clocks = await Promise.all(told);
    this.#until = new Map(clocks.map(([node, seconds]) => [node, seconds + LEASE_SECONDS]));
    return Math.min(...clocks.map(([, seconds]) => seconds));
  }

  /** Until when, in seconds of its node's clock, something may be done in a slot; of a node that has joined since, by the earliest clock. */
  untilIn(slot: number): number {
    const owner = this.members.ownerOf(slot);
    return (owner && this.#until.get(owner)) ?? Math.min(...this.#until.values());
  }
}

/** What others do who take this process for killed, and what it can do then. */
export function stoodStill(): Failure {
  const sentence =
    'this process stood still for so long that others took it for killed, and put back what it had set aside';
  return new Failure('UNREACHABLE', `${sentence}: what is there must be looked at anew`);
}

/** Rejects as `stoodStill` says where a node has refused what came too late, with every other error as it is. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw cameTooLate(error) ? stoodStill() : error;
  }
}
