/** things: what coordinators of a cluster have, of every type: written, looked at and added to by one who beats again, and compared afterwards. */
import type { Cluster } from 'ioredis';
import { heartbeatOf } from '../support/world.ts';

/** What a thing holds: of a string its value, of a list, set, hash or sorted set what its elements are. */
type Content = readonly string[];

interface Type {
  /** Adds one element; of a string it is the new value. */
  readonly write: (redis: Cluster, key: string, element: string) => Promise<unknown>;
  readonly read: (redis: Cluster, key: string) => Promise<Content>;
}

const TYPES = {
  string: {
    write: async (redis, key, element) => await redis.set(key, element),
    read: async (redis, key) => {
      const value = await redis.get(key);
      return value === null ? [] : [value];
    },
  },
  set: {
    write: async (redis, key, element) => await redis.sadd(key, element),
    read: async (redis, key) => await redis.smembers(key),
  },
  hash: {
    write: async (redis, key, element) => await redis.hset(key, { [element]: element }),
    read: async (redis, key) => await redis.hkeys(key),
  },
  zset: {
    write: async (redis, key, element) => await redis.zadd(key, `${element.length}`, element),
    read: async (redis, key) => await redis.zrange(key, 0, '-1'),
  },
  list: {
    write: async (redis, key, element) => await redis.rpush(key, element),
    read: async (redis, key) => await redis.lrange(key, 0, -1),
  },
} satisfies Record<string, Type>;

export interface Thing {
  readonly key: string;
  readonly type: keyof typeof TYPES;
}

/** All that a coordinator leaves besides its heartbeat, spread over slots unless its id holds a tag. */
export function thingsOf(id: string, swarm = 's1'): readonly Thing[] {
  return [
    { key: `blocking:signal:${id}`, type: 'string' },
    { key: `blocking:ack:${id}:1`, type: 'string' },
    { key: `blocking:ack:${id}:members`, type: 'set' },
    { key: `blocking:ack:${id}:rooms`, type: 'hash' },
    { key: `blocking:ack:${id}:load`, type: 'zset' },
    { key: `blocking:ack:${id}:log`, type: 'list' },
    { key: `swarm:${swarm}:agent:${id}:activity`, type: 'hash' },
    { key: `swarm:${swarm}:blocking:${id}`, type: 'string' },
  ];
}

/** What two of them have in common. */
export function sharedBy(one: string, other: string): Thing {
  return {
    key: `blocking:idempotency:${one}:${other}:completion:1:1760000000000`,
    type: 'set',
  };
}

export async function write(redis: Cluster, { key, type }: Thing, element: string): Promise<void> {
  await TYPES[type].write(redis, key, element);
}

export async function read(redis: Cluster, { key, type }: Thing): Promise<Content> {
  return await TYPES[type].read(redis, key);
}

/** What somebody has: its heartbeat, and of each thing what must be in it. */
export class Belongings {
  readonly #of = new Map<string, { readonly thing: Thing; readonly elements: Set<string> }>();

  /** What was seen in it, or written to it: a new value of a string takes the place of the old one. */
  add(thing: Thing, content: Content): void {
    if (content.length === 0) return;
    const known = this.#of.get(thing.key);
    if (known === undefined || thing.type === 'string') {
      this.#of.set(thing.key, { thing, elements: new Set(content) });
    } else for (const element of content) known.elements.add(element);
  }

  beat(id: string, value: string, swarm?: string): void {
    this.add({ key: heartbeatOf(id, swarm), type: 'string' }, [value]);
  }

  /** What of it is not there, each in a sentence. */
  async missing(redis: Cluster): Promise<string[]> {
    const missing = [...this.#of.values()].map(async ({ thing, elements }) => {
      const there = new Set(await read(redis, thing));
      const lost = [...elements].filter((element) => !there.has(element));
      return lost.length === 0 ? [] : [`${thing.key} lacks ${lost}, and holds ${[...there]}`];
    });
    return (await Promise.all(missing)).flat();
  }
}
