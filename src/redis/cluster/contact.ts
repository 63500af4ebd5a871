/** contact: who answers in a cluster, for a run that may not have to look at it: every primary is asked who it is, and for the time.
 *  Promises  another process or history in the place of any primary, a slot that went elsewhere or is on its way: each is another
 *            `server`, or none that is known, and so ends what an earlier pass left.
 */
import type { TargetConfig } from '../../config/resolve.ts';
import type { KeyCounts } from '../../domain/horizon.ts';
import { ServerCalls } from '../call/calls.ts';
import { Rest } from '../call/rest.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import { clusterAnswerIn } from '../connection/cluster.ts';
import { infoAtOpening } from '../connection/connectForRun.ts';
import { countsOf, readSeconds } from '../target/clock.ts';
import type { Contact } from '../target/contact.ts';
import { Link } from '../target/link.ts';
import type { NodeWishes } from '../target/node.ts';
import { Patience } from '../target/patience.ts';
import type { Reader } from '../target/reader.ts';
import type { Target } from '../target/target.ts';
import { markerKeys } from './aside/names.ts';
import { isRestoring } from './aside/words.ts';
import { rangesOf, slotOfText } from './calls/slots.ts';
import { addressOf } from './nodes/address.ts';
import { type Member, membersIn, Topology } from './nodes/topology.ts';
import { openCluster } from './open.ts';

interface Parts {
  readonly settings: TargetConfig;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal | undefined;
}

/** All primaries, each as it says of itself and of the others. */
interface Known {
  readonly topology: Topology;
  /** By their ids. */
  readonly links: Map<string, Link>;
}

export class ClusterContact implements Contact {
  readonly strategy = 'cluster';
  readonly settings: TargetConfig;
  readonly stopwatch: Stopwatch;
  readonly server: string | null;
  readonly counts: KeyCounts;
  #target: Target | null = null;
  #readAt: Target | null = null;

  private constructor(
    private readonly seed: Link,
    { settings, stopwatch }: Parts,
    /** `null`: not all of them answered as such. */
    private readonly known: Known | null,
  ) {
    this.settings = settings;
    this.stopwatch = stopwatch;
    this.server = known === null ? null : identityOf(known);
    const links = [...(known?.links.values() ?? [])];
    const counts = links.map(({ redis }) => countsOf(infoAtOpening(redis), 0));
    this.counts = {
      keys: counts.reduce((sum, { keys }) => sum + keys, 0),
      expiring: counts.reduce((sum, { expiring }) => sum + expiring, 0),
    };
  }

  /** Connects to all primaries, where that may spare a look. @param seed leads to one of the nodes */
  static async open(seed: Link, parts: Parts): Promise<ClusterContact> {
    return new ClusterContact(seed, parts, parts.settings.horizon ? await knownBy(seed, parts) : null);
  }

  async seconds(signal: AbortSignal): Promise<number> {
    const clocks = this.#links.map(async (link) => {
      const calls = this.#callsOver(link);
      return await new Patience(link, calls, signal).steadily(async () => await readSeconds(calls));
    });
    // Nobody is found late by any of them.
    return Math.max(...(await Promise.all(clocks)));
  }

  async isSettled(signal: AbortSignal): Promise<boolean> {
    const { owners } = this.known?.topology ?? new Topology([]);
    const asked = markerKeys().map(async (key) => {
      const link = this.known?.links.get(owners[slotOfText(key)] ?? '') ?? this.seed;
      const calls = this.#callsOver(link);
      const ask = async () => await calls.send('smembers', [key]);
      const { reply } = await new Patience(link, calls, signal).steadily(ask);
      return (reply as string[]).every(isRestoring);
    });
    // A slot that has gone elsewhere since is for a run that looks at all of them.
    const isNone = await Promise.all(asked).catch((error: unknown) => {
      if (clusterAnswerIn(error) === null) throw error;
      return [false];
    });
    return isNone.every(Boolean);
  }

  async reader(signal: AbortSignal): Promise<Reader> {
    const { settings, stopwatch } = this;
    // It only reads, where a run would read.
    const wishes = { dryRun: true, signal, warn: () => {} };
    this.#readAt ??= await openCluster(await Link.open(settings, signal), { settings, wishes, stopwatch });
    return this.#readAt.reads;
  }

  async examine(wishes: NodeWishes): Promise<Target> {
    const { settings, stopwatch, seed } = this;
    this.#target ??= await openCluster(seed, {
      settings,
      wishes,
      stopwatch,
      linkTo: (member) => this.#takeLink(member),
    });
    return this.#target;
  }

  #takeLink({ id }: Member): Link | null {
    const link = this.known?.links.get(id);
    this.known?.links.delete(id);
    return link?.redis.status === 'ready' ? link : null;
  }

  get #links(): readonly Link[] {
    return [...(this.known?.links.values() ?? [this.seed])];
  }

  #callsOver(link: Link): ServerCalls {
    return new ServerCalls(link.redis, new Rest(this.settings.nice), this.stopwatch);
  }

  close(): void {
    this.#target?.close();
    this.#readAt?.close();
    for (const link of [this.seed, ...this.#links]) link.close();
  }
}

/** `null` where any of them does not answer: whoever looks at all of them says which, and why. */
async function knownBy(seed: Link, { settings, signal }: Parts): Promise<Known | null> {
  const links = new Map<string, Link>();
  try {
    const first = new Topology([await saidBy(seed)]);
    const opened = await Promise.allSettled(
      first.primaries.map(async (member) => {
        links.set(member.id, await Link.open(addressOf(settings, member), signal));
      }),
    );
    if (opened.some(({ status }) => status === 'rejected')) throw new Error('not all answer');
    const topology = new Topology(await Promise.all([...links.values()].map(saidBy)));
    if (topology.primaries.some(({ id }) => !links.has(id))) throw new Error('not all are known');
    return { topology, links };
  } catch {
    for (const link of links.values()) link.close();
    signal?.throwIfAborted();
    return null;
  }
}

async function saidBy({ redis }: Link): Promise<readonly Member[]> {
  const { reply } = await new ServerCalls(redis).send('cluster', ['NODES']);
  return membersIn(String(reply), redis.options.host ?? '');
}

/** Which processes of which histories serve which slots; `null` where one does not say, or slots are nobody's or on their way. */
function identityOf({ topology, links }: Known): string | null {
  if (topology.open.size > 0 || topology.unowned.length > 0) return null;
  const parts = topology.primaries.map(({ id }) => {
    const identity = links.get(id)?.identity ?? null;
    return identity === null ? null : `${id} ${identity} ${rangesOf(topology.slotsOf(id))}`;
  });
  return parts.includes(null) ? null : parts.sort().join('\n');
}
