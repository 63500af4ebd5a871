/** slot connector: connections to whichever node of a cluster serves one slot. It is looked up anew each time one is opened, as
 *  sentinels are asked for a primary, since slots move and replicas take over.
 *
 *  All keys of a queue lie in one slot (the braces of their prefix), so one connection serves them all: BullMQ, transactions,
 *  scripts, blocking calls and TIME go where the keys are, and nothing needs to be routed.
 */
import { createConnection, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectByTls } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import type { HostPort } from '../../../config/values/deployment.ts';
import { entryOf } from '../../../config/values/redisUrl.ts';
import type { Address } from '../../../config/values/tls.ts';
import { askedOnce, createClient } from '../../connection/client.ts';
import { AbstractConnector } from '../../connection/ioredis.ts';
import { isRefusal } from '../../rights/refusals.ts';
import { addressOf, hostsOf } from '../nodes/address.ts';
import { type Member, membersIn, Topology } from '../nodes/topology.ts';
import { slotOfText } from './slots.ts';

type Options = Omit<RedisOptions, 'replyMapping'>;

/** A node that takes longer is passed over, in ms: of three that do not answer the last must be heard within a connection's time. */
const ANSWER_TIMEOUT_MS = 2_000;
const LONGEST_PAUSE_MS = 1_000;
const MOVED = /^MOVED \d+ (.*):(\d+)$/;

/**
 * What the library needs to find the node that serves a key.
 * @param of a cluster, or the URL of one of its nodes
 * @param key any name in the slot
 * @param lasts whether nodes are to be asked again and again, while none of them knows who serves it
 */
export function slotOptions(of: Address, key: string, lasts: () => boolean): Options {
  const { username, password, encrypted } = entryOf(of.url);
  const known = new Known(hostsOf(of));
  class SlotConnector extends AbstractConnector {
    readonly #options: Options;

    constructor(options: unknown) {
      super((options as { readonly disconnectTimeout: number }).disconnectTimeout);
      this.#options = options as Options;
    }

    /** A replica that does not know yet that it is one, or is one again, is left. */
    override check(info: { readonly role?: string }): boolean {
      return info.role !== 'slave';
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      const at = await this.#find();
      this.stream = encrypted ? connectByTls({ ...at, ...of.tls }) : createConnection(at);
      this.stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      return this.stream as Socket;
    }

    async #find(): Promise<HostPort> {
      for (let attempt = 1; ; attempt++) {
        const found = await ownerBy(known, of, key, () => this.connecting);
        if (!this.connecting) throw new Error('Connection is closed.');
        if (!(found instanceof Error)) return found;
        // The same name as for sentinels, so that whoever gives up one kind of search gives up the other.
        const waitMs = this.#options.sentinelRetryStrategy?.(attempt);
        if (typeof waitMs !== 'number') throw found;
        await pause(waitMs);
      }
    }
  }
  return {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    Connector: SlotConnector,
    sentinelRetryStrategy: (attempt) => (lasts() ? Math.min(50 * 2 ** attempt, LONGEST_PAUSE_MS) : null),
  };
}

/** The nodes that may be asked: those that an address names, and those that these told of. The next one is asked first. */
class Known {
  #hosts: readonly HostPort[];

  constructor(private readonly named: readonly HostPort[]) {
    this.#hosts = named;
  }

  /** One after the other, each once; the one after the last that was asked begins. */
  *inTurn(): Generator<HostPort> {
    for (let left = this.#hosts.length; left > 0; left--) {
      const [first, ...others] = this.#hosts as [HostPort, ...HostPort[]];
      this.#hosts = [...others, first];
      yield first;
    }
  }

  /** Those that are there by now, and those that were named, which may be names for others. */
  learn(members: readonly Member[]): void {
    const same = (a: HostPort) => (b: HostPort) => a.host === b.host && a.port === b.port;
    const there = members.filter(({ isGone }) => !isGone).map(({ host, port }) => ({ host, port }));
    const all = [...this.#hosts.filter((one) => [...there, ...this.named].some(same(one))), ...there];
    this.#hosts = all.filter((one, i) => all.findIndex(same(one)) === i);
  }
}

/** Who serves the slot, as the first node says that knows somebody who lives; why nobody is known, where none does. */
async function ownerBy(known: Known, of: Address, key: string, goesOn: () => boolean): Promise<HostPort | Error> {
  const slot = slotOfText(key);
  let failure: Error | null = null;
  for (const at of known.inTurn()) {
    if (!goesOn()) break;
    try {
      const told = await askNode(of, at, key);
      if ('host' in told) return told;
      const { members } = told;
      known.learn(members);
      const topology = new Topology([members]);
      const owner = topology.members.get(topology.owners[slot] ?? '');
      if (owner !== undefined && !owner.isGone) return { host: owner.host, port: owner.port };
      failure ??= new Error(`no node of the cluster serves slot ${slot}, where its keys are`);
    } catch (error) {
      failure ??= error as Error;
    }
  }
  return failure ?? new Error('no node of the cluster is known');
}

/** What a node says of its cluster; where it is in none, or may not be asked, who serves the key, as far as it says. */
async function askNode(
  of: Address,
  at: HostPort,
  key: string,
): Promise<HostPort | { readonly members: readonly Member[] }> {
  const { url, tls } = addressOf(of, at);
  let said: Error | null = null;
  const redis = createClient(url, {
    ...(url.startsWith('rediss:') ? { tls: tls ?? {} } : {}),
    ...askedOnce(ANSWER_TIMEOUT_MS),
  });
  redis.on('error', (error: Error) => {
    said = error;
  });
  try {
    await redis.connect();
    const reply = await redis.call('CLUSTER', 'NODES').catch((error: Error) => error);
    if (!(reply instanceof Error)) return { members: membersIn(String(reply), at.host) };
    if (!isRefusal(reply)) throw reply;
    const moved = await redis.exists(key).then(
      () => null,
      (error: Error) => MOVED.exec(error.message),
    );
    return moved === null ? at : { host: moved[1] || at.host, port: Number(moved[2]) };
  } catch (error) {
    throw said ?? error;
  } finally {
    redis.disconnect();
  }
}
