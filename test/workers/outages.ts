/** outages: ways in which a target keeps everybody from beating for a while, and coordinators that go through them (P10). */
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { failToSave, saveAgain, Server } from '../chaos/server.ts';
import { Way } from '../chaos/way.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { beat, belongingsOf, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

/** A target that can be hurt, and healed. */
export interface Place {
  readonly url: string;
  /** A connection to the server that serves at the moment. */
  redis(): Redis;
  /** From now on nobody can beat, until `heal`. */
  hurt(): Promise<void>;
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export async function pidOf(redis: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
}

const FOREVER_MS = 3_600_000;

async function onePlace(
  hurt: (server: TestRedis) => Promise<() => Promise<unknown>>,
  args: readonly string[] = [],
): Promise<Place> {
  const server = await startRedis(args);
  let heal: () => Promise<unknown> = async () => null;
  return {
    url: server.url,
    redis: () => server.redis,
    hurt: async () => {
      heal = await hurt(server);
    },
    heal: async () => {
      await heal();
    },
    stop: server.stop,
  };
}

async function frozen({ redis }: TestRedis) {
  const pid = await pidOf(redis);
  process.kill(pid, 'SIGSTOP');
  return async () => process.kill(pid, 'SIGCONT');
}

/** A primary and its replica behind one address; in the end the replica is the primary there, and the first one gone. */
async function pair(lose: (primary: TestRedis) => Promise<unknown>): Promise<Place> {
  const primary = await startRedis();
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)]);
  await expect
    .poll(async () => await replica.redis.info('replication'), { timeout: 30_000 })
    .toContain('master_link_status:up');
  const way = await Way.to(primary.port);
  let serving = primary;
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    stopped ??= primary.stop();
    await stopped;
  };
  return {
    url: way.url,
    redis: () => serving.redis,
    hurt: async () => {
      await lose({ ...primary, stop });
    },
    heal: async () => {
      await replica.redis.call('REPLICAOF', 'NO', 'ONE');
      serving = replica;
      way.leadTo(replica.port);
    },
    stop: async () => {
      await way.close();
      await Promise.all([stop(), replica.stop()]);
    },
  };
}

/** Every way, by what the target does meanwhile. */
export const OUTAGES = {
  'is frozen': async () => await onePlace(frozen),
  'takes no writes': async () =>
    await onePlace(async ({ redis }) => {
      await redis.call('CLIENT', 'PAUSE', String(FOREVER_MS), 'WRITE');
      return async () => await redis.call('CLIENT', 'UNPAUSE');
    }),
  'is full': async () =>
    await onePlace(async ({ redis }) => {
      await redis.config('SET', 'maxmemory', '1');
      return async () => await redis.config('SET', 'maxmemory', '0');
    }),
  'can not save': async () => {
    const server = await Server.start(['--save', '3600 1000000']);
    return {
      url: server.url,
      redis: () => server.redis,
      hurt: async () => await failToSave(server),
      heal: async () => await saveAgain(server),
      stop: async () => await server.stop(),
    };
  },
  'is killed, and its replica promoted,': async () => await pair(async (primary) => await primary.stop()),
  'is frozen, and its replica promoted,': async () => await pair(frozen),
} satisfies Readonly<Record<string, () => Promise<Place>>>;

/** Coordinators that beat at one place, with everything they own. */
export class Beating {
  readonly ids: readonly string[];
  readonly #connection: Redis;
  #living: readonly string[];
  #over = false;

  constructor(
    private readonly place: Place,
    coordinators: number,
    private readonly everyMs: number,
  ) {
    this.ids = Array.from({ length: coordinators }, (_, i) => `c${i}`);
    this.#living = this.ids;
    this.#connection = new Redis(place.url, { connectionName: 'beats', maxRetriesPerRequest: null });
    this.#connection.on('error', () => {});
  }

  async begin(): Promise<void> {
    const things = this.ids.flatMap((id) => belongingsOf(id).map((name) => [name, 'x'] as const));
    await writeAll(this.#connection, Object.fromEntries(things));
    await this.#beat();
    void this.#goOn();
  }

  async #goOn(): Promise<void> {
    for (; !this.#over; await pause(this.everyMs)) await this.#beat().catch(() => {});
  }

  async #beat(): Promise<void> {
    const now = await nowOf(this.#connection);
    await writeAll(this.#connection, Object.fromEntries(this.#living.map((id) => [heartbeatOf(id), beat(now, id)])));
  }

  /** One of them beats no more; resolves to who, and when it beat last, in ms. */
  async lose(): Promise<{ readonly id: string; readonly beatAt: number }> {
    const [id = '', ...others] = this.#living;
    this.#living = others;
    // What is under way may still name it.
    await pause(2 * this.everyMs);
    return { id, beatAt: Number(JSON.parse((await this.place.redis().get(heartbeatOf(id))) ?? '{}').timestamp) };
  }

  /** Fails when anything is missing of those who beat. */
  async expectWhole(): Promise<void> {
    for (const id of this.#living) {
      const names = [heartbeatOf(id), ...belongingsOf(id)];
      expect([id, await this.place.redis().exists(...names)]).toEqual([id, names.length]);
    }
  }

  /** Resolves to when all of it was gone, in ms by the server's clock. */
  async gone(id: string): Promise<number> {
    const names = [heartbeatOf(id), ...belongingsOf(id)];
    while ((await this.place.redis().exists(...names)) > 0) await pause(50);
    return await nowOf(this.place.redis());
  }

  /** What is under way may never be answered. */
  end(): void {
    this.#over = true;
    this.#connection.disconnect();
  }
}
