/** leftAside: what says that something may be set aside, and what is done about what a killed run left there.
 *
 * Whoever sets something aside says so first, and takes that back once nothing of its is aside any more. A run that finds such a word as
 * it begins puts back all that it finds aside, and then judges as ever: who is still stale is swept with it, and who lives has it again.
 * Whoever was at work after all notices, and leaves the heartbeats, so that nothing is orphaned.
 */
import { bringBack } from './bringBack.ts';
import { Bulk } from '../../call/bulk.ts';
import { scanPage } from '../../keyspace/keyspace.ts';
import { ScanEnd } from '../../keyspace/scanEnd.ts';
import type { Node } from '../../target/node.ts';
import { each } from '../calls/each.ts';
import type { Members } from '../nodes/members.ts';
import { ASIDE_GLOB, markerKeys, ownNameOf, secondOf, tokenOf } from './names.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { positionsBySlot } from '../calls/slots.ts';
import { SlotWatch } from '../nodes/slotWatch.ts';

/** A chunk does not take so long; whose word is older was killed. */
const AT_WORK_SECONDS = 60;

export class LeftAside {
  readonly #begunAt = performance.now();
  #token: string | null = null;
  /** Chunks of which something may be aside. */
  #underWay = 0;
  #entering: Promise<void> | null = null;

  constructor(
    private readonly members: Members,
    private readonly calls: RoutedCalls,
    private readonly nowSeconds: number,
  ) {}

  /** Says that something is about to be set aside. */
  async enter(): Promise<void> {
    this.#underWay++;
    this.#entering ??= this.#say();
    await this.#entering;
  }

  async #say(): Promise<void> {
    const token = tokenOf(this.nowSeconds + Math.floor((performance.now() - this.#begunAt) / 1000));
    this.#token = token;
    await each(markerKeys(), async (key) => {
      await this.calls.send('sadd', [key, token]);
    });
  }

  /** One chunk is settled: nothing of it is aside. */
  async leave(): Promise<void> {
    this.#underWay--;
    if (this.#underWay > 0 || this.#token === null) return;
    const token = this.#token;
    this.#token = null;
    this.#entering = null;
    await each(markerKeys(), async (key) => {
      await this.calls.send('srem', [key, token]);
    });
  }

  /** Nobody knows whether something of a chunk is, or will yet be, aside: its word stays, and what comes later says another one. */
  leaveWord(): void {
    this.#underWay--;
    this.#token = null;
    this.#entering = null;
  }

  /** Puts back what killed runs left. Resolves to how much that was, and to names that were written anew meanwhile. */
  async settle(): Promise<{ readonly back: number; readonly taken: readonly string[] }> {
    const tokens = new Set<string>();
    await each(markerKeys(), async (key) => {
      const { reply } = await this.calls.send('smembers', [key]);
      for (const token of reply as string[]) tokens.add(token);
    });
    if (tokens.size === 0) return { back: 0, taken: [] };
    const taken: string[] = [];
    let back = 0;
    const putBackAll = async (keys: readonly Buffer[]): Promise<void> => {
      const aside = keys.filter((key) => ownNameOf(key) !== null);
      await each([...positionsBySlot(aside).values()], async (positions) => {
        const names = positions.map((at) => (aside[at] as Buffer).toString('latin1'));
        const own = positions.map((at) => (ownNameOf(aside[at] as Buffer) as Buffer).toString('latin1'));
        const [from, to] = [Bulk.of(names), Bulk.of(own)];
        const brought = await bringBack(this.calls, from, to);
        from.clear();
        to.clear();
        back += brought.back;
        taken.push(...brought.taken);
      });
    };
    // What moves meanwhile would else stay aside, and be nobody's once its owner's heartbeat has gone.
    const moves = new SlotWatch(this.members);
    await moves.begin();
    await Promise.all(
      this.members.nodes.map(async (node) => {
        for await (const keys of asideAt(node, moves)) await putBackAll(keys);
      }),
    );
    for await (const keys of moves.missed()) await putBackAll(keys);
    const old = [...tokens].filter((token) => !(this.nowSeconds - secondOf(token) <= AT_WORK_SECONDS));
    if (old.length > 0) {
      await each(markerKeys(), async (key) => {
        await this.calls.send('srem', [key, ...old]);
      });
    }
    return { back, taken };
  }
}

/** All that is set aside at one node, page by page. */
async function* asideAt(node: Node, moves: SlotWatch): AsyncGenerator<readonly Buffer[]> {
  const end = new ScanEnd(node.keyspace);
  let cursor = '0';
  do {
    const count = node.paces.scan.size;
    const page = await node.steadily('scan', () => scanPage(node.calls, cursor, ASIDE_GLOB, count));
    node.paces.tell('scan', count, page.ms);
    cursor = page.cursor;
    end.note(cursor, count, page.keys.length);
    moves.look();
    yield page.keys;
    await node.calls.rest.take();
  } while (cursor !== '0');
}
