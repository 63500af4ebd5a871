/** members: the primaries of a cluster as a run knows them, and what of their slots moved since it began to look.
 *
 *  Owns      who owns which slot now; opening whoever joins; following those who say that a slot is elsewhere.
 *  Leaves    what a node is to Node, what is sent to whole.
 *  Promises  a replica that took over ends the run: it may lack the last beats, so who is stale must be judged anew (P10).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TargetConfig } from '../../../config/resolve.ts';
import { redactUrl } from '../../../config/values/redisUrl.ts';
import { Failure, sentenceOf } from '../../../domain/failure.ts';
import { ServerCalls } from '../../call/calls.ts';
import type { Rest } from '../../call/rest.ts';
import type { Stopwatch } from '../../call/stopwatch.ts';
import type { Redis } from '../../connection/ioredis.ts';
import { Link } from '../../target/link.ts';
import { Node, type NodeWishes } from '../../target/node.ts';
import { rangesOf, tagOf } from '../calls/slots.ts';
import { addressOf } from './address.ts';
import { nodesTold, SEEN_AT } from './nodesTold.ts';
import { type Member, membersIn, movedBetween, nameOf, Topology } from './topology.ts';

/** A node that says where a slot is may be behind the others, who say otherwise; they agree within a second or two. */
const MOST_TURNS = 40;
const TURN_MS = 100;
/** While one is handed over, the one may have been asked after it gave a slot away, the other before it took that. */
const MOST_UNOWNED = 20;
/** In mid-run as long as for a cluster that says it is down: what is aside can't be put back without. */
const MOST_UNOWNED_MIDWAY = 100;

/** How a node says that a slot is elsewhere: for good, or for this one key. */
const ELSEWHERE = /^(MOVED|ASK) (\d+) (.*):(\d+)$/;

export interface MembersParts {
  readonly settings: TargetConfig;
  readonly wishes: NodeWishes;
  readonly rest: Rest;
  readonly stopwatch: Stopwatch;
  /** Told of each node that is opened, before anything else is done there, with its replicas and a tag that puts names there. */
  readonly opened?: (node: Node, replicas: readonly Member[], part: string) => Promise<void>;
  /** A connection to a node that is open already, for these to keep; `null`: none. */
  readonly linkTo?: (member: Member) => Link | null;
  /** How commands go over a connection of this run; left out: as ever. */
  readonly callsOver?: (redis: Redis, rest: Rest, stopwatch: Stopwatch) => ServerCalls;
}

export class Members {
  readonly #nodes = new Map<string, { readonly node: Node; readonly member: Member }>();
  readonly #opening = new Map<string, Promise<Node>>();
  /** Who was a replica when the run first looked, or is one now. */
  readonly #replicas = new Set<string>();
  #topology = new Topology([]);
  #moved = new Set<number>();
  /** What all nodes said last, once that had been heeded. */
  #news = '';
  #refreshing: Promise<void> | null = null;

  private constructor(private readonly parts: MembersParts) {}

  /**
   * Opens all that own slots. Fails (`UNREACHABLE`) where one can't be reached or a slot is nobody's: what is there can't be
   * judged, and may be anybody's.
   * @param seed leads to one of them
   */
  static async open(seed: Link, parts: MembersParts): Promise<Members> {
    const members = new Members(parts);
    const asked = seed.redis.options.host ?? '';
    try {
      // The seed may be a replica, which knows the owners as well.
      await members.#insistOnAll(async () => {
        const reply = await nodesTold(new ServerCalls(seed.redis), redactUrl(parts.settings.url));
        members.#topology = new Topology([membersIn(reply, asked)]);
      });
      await members.#openAll();
      await members.#insistOnAll(async () => await members.refresh());
    } catch (error) {
      members.close();
      throw error;
    }
    return members;
  }

  /** All that own slots, in the order of their first, then those to which some are being moved. */
  get nodes(): readonly [Node, ...Node[]] {
    return this.#topology.primaries.flatMap(({ id }) => this.#nodes.get(id)?.node ?? []) as [Node, ...Node[]];
  }

  /** From now on it is noted what moves; what is on its way already is. */
  async beginToWatch(): Promise<void> {
    await this.refresh();
    this.#moved = new Set(this.#topology.open);
  }

  /** The slots whose keys may have moved since this was asked before, or since `beginToWatch`. */
  async takeMoved(): Promise<readonly number[]> {
    await this.refresh();
    const moved = [...this.#moved];
    this.#moved = new Set();
    return moved;
  }

  /** Where keys of a slot are: at its owner, then at those to which it is being moved. */
  holdersOf(slot: number): readonly Node[] {
    return [...this.#topology.holdersOf(slot)].flatMap((id) => this.#nodes.get(id)?.node ?? []);
  }

  /** Who serves a slot, as far as is known; `null`: nobody. */
  ownerOf(slot: number): Node | null {
    return this.#nodes.get(this.#topology.owners[slot] ?? '')?.node ?? null;
  }

  /** Who serves a slot, once somebody does. Fails (`UNREACHABLE`) where nobody does for seconds. */
  async ownerAwaited(slot: number): Promise<Node> {
    for (let turn = 0; turn < MOST_UNOWNED_MIDWAY; turn++) {
      if (turn > 0) await this.refresh();
      const owner = this.ownerOf(slot);
      if (owner) return owner;
      if (this.parts.wishes.signal.aborted) throw new Failure('INTERRUPTED', 'the run was interrupted');
      if (turn > 0) await pause(TURN_MS);
    }
    throw this.#unjudged([slot], 'nobody serves it');
  }

  /**
   * Calls `attempt` with the node that owns a slot, and again with the one that does by then when it is said to be elsewhere.
   * @param ask what to do at the node to which a slot is being moved, for what is there already; left out: it is waited for
   */
  async at<T>(slot: number, attempt: (node: Node) => Promise<T>, ask?: (node: Node) => Promise<T>): Promise<T> {
    for (let turn = 1; ; turn++) {
      try {
        return await attempt(await this.ownerAwaited(slot));
      } catch (error) {
        const [, word, , host = '', port] = ELSEWHERE.exec(error instanceof Error ? error.message : '') ?? [];
        if (word === undefined) throw error;
        this.#moved.add(slot);
        if (turn > MOST_TURNS) throw this.#unsettled(slot);
        if (word === 'ASK' && ask !== undefined) {
          await this.refresh();
          const there = this.#nodeAt(host, Number(port));
          if (there !== null) return await ask(there);
        }
        if (turn > 1) await pause(TURN_MS);
        await this.refresh();
      }
    }
  }

  /** Asks all nodes who owns what now. Fails where a replica took over, or a new node can't be opened. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const told = await Promise.all(
      [...this.#nodes.values()].map(async ({ node, member: { host } }) => {
        try {
          const { reply } = await node.calls.send('cluster', ['NODES']);
          return { host, reply: String(reply) };
        } catch {
          // Whether one that does not answer has been replaced the others know.
          return { host, reply: '' };
        }
      }),
    );
    if (told.every(({ reply }) => reply === '')) return;
    const news = JSON.stringify(told.map(({ host, reply }) => [host, reply.replaceAll(SEEN_AT, '')]));
    if (news === this.#news) return;
    const said = told.map(({ host, reply }) => membersIn(reply, host));
    const now = new Topology(said);
    for (const slot of movedBetween(this.#topology, now)) this.#moved.add(slot);
    this.#topology = now;
    for (const { id, isPrimary } of now.members.values()) if (!isPrimary) this.#replicas.add(id);
    await this.#openAll();
    this.#news = news;
  }

  async #openAll(): Promise<void> {
    const opened = await Promise.allSettled(this.#topology.primaries.map(async (member) => await this.#open(member)));
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
  }

  async #open(member: Member): Promise<void> {
    if (this.#nodes.has(member.id)) return;
    if (this.#replicas.has(member.id)) {
      throw new Failure(
        'UNREACHABLE',
        `${nameOf(member)} took over for another one: what is stale must be judged anew`,
      );
    }
    const opening = this.#opening.get(member.id) ?? this.#examine(member);
    this.#opening.set(member.id, opening);
    try {
      this.#nodes.set(member.id, { node: await opening, member });
    } finally {
      this.#opening.delete(member.id);
    }
  }

  async #examine(member: Member): Promise<Node> {
    const { settings, wishes, rest, stopwatch, callsOver, opened, linkTo } = this.parts;
    let link: Link | null = null;
    try {
      link = linkTo?.(member) ?? (await Link.open(addressOf(settings, member), wishes.signal));
      const calls = callsOver?.(link.redis, rest, stopwatch) ?? new ServerCalls(link.redis, rest, stopwatch);
      const [slot = 0] = this.#topology.slotsOf(member.id);
      const node = await Node.examine(link, calls, settings, { ...wishes, part: tagOf(slot) });
      await opened?.(node, this.#topology.replicasOf(member.id), tagOf(slot));
      return node;
    } catch (error) {
      link?.close();
      if (!(error instanceof Failure && error.code === 'UNREACHABLE')) throw error;
      throw this.#unjudged(this.#topology.slotsOf(member.id), sentenceOf(error), error);
    }
  }

  /** @param look brings in who owns what */
  async #insistOnAll(look: () => Promise<void>): Promise<void> {
    await look();
    for (let turn = 1; this.#topology.unowned.length > 0 && turn < MOST_UNOWNED; turn++) {
      await pause(TURN_MS);
      await look();
    }
    const { unowned } = this.#topology;
    if (unowned.length > 0) throw this.#unjudged(unowned, 'nobody serves them');
    const gone = this.#topology.primaries.find(({ isGone }) => isGone);
    if (gone) throw this.#unjudged(this.#topology.slotsOf(gone.id), `${nameOf(gone)} has failed`);
  }

  #unjudged(slots: readonly number[], why: string, cause?: unknown): Failure {
    const where = `slots ${rangesOf(slots)} of the cluster at ${redactUrl(this.parts.settings.url)}`;
    const sentence = `${where} can not be judged (${why}); nothing is removed, since it could belong to somebody there`;
    return new Failure('UNREACHABLE', sentence, { cause });
  }

  #unsettled(slot: number): Failure {
    const where = `the cluster at ${redactUrl(this.parts.settings.url)}`;
    return new Failure('UNREACHABLE', `${where} does not agree on who serves slot ${slot}`);
  }

  #nodeAt(host: string, port: number): Node | null {
    const isThere = ({ member }: { member: Member }) => member.port === port && (host === '' || member.host === host);
    return [...this.#nodes.values()].find(isThere)?.node ?? null;
  }

  close(): void {
    for (const { node } of this.#nodes.values()) node.close();
  }
}
