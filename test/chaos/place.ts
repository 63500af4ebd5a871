/** place: a Redis and its replica, behind ways that lead to the one that serves. */
import { expect } from 'vitest';
import type { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { Server } from './server.ts';
import { Way } from './way.ts';

/** A replica that has been there for no longer came with data it loaded just now, as a server that was restarted does. */
const OLD_ENOUGH_SECONDS = 25;

async function pidOf(redis: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
}

export class Place {
  #serving: Server;
  #replica: Server;
  readonly #ways: Way[] = [];

  private constructor(
    serving: Server,
    replica: Server,
    private readonly args: readonly string[],
  ) {
    this.#serving = serving;
    this.#replica = replica;
  }

  static async open(args: readonly string[]): Promise<Place> {
    const serving = await Server.start(args);
    return new Place(serving, await replicaOf(serving, args), args);
  }

  /** A connection of the fixture to whoever serves. */
  get redis(): Redis {
    return this.#serving.redis;
  }

  /** Opens one more way to whoever serves. */
  async way(): Promise<Way> {
    const way = await Way.to(this.#serving.port);
    this.#ways.push(way);
    return way;
  }

  /** It goes in order, and comes back with its data after `meanwhile`. */
  async restart(meanwhile: () => Promise<unknown>): Promise<void> {
    await this.#serving.shutDown();
    await meanwhile();
    await this.#serving.comeBack();
  }

  /** It stands still for as long as `meanwhile`. */
  async freeze(meanwhile: () => Promise<unknown>): Promise<void> {
    const pid = await pidOf(this.redis);
    process.kill(pid, 'SIGSTOP');
    try {
      await meanwhile();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** Resolves once the replica may take over. */
  async prepare(): Promise<void> {
    const { redis } = this.#replica;
    await eventually(() => redis.info('replication'), expect.stringContaining('master_link_status:up'));
    const isOld = async () =>
      Number(/uptime_in_seconds:(\d+)/.exec(await redis.info('server'))?.[1]) > OLD_ENOUGH_SECONDS;
    await eventually(isOld, true);
  }

  /** The replica takes over, with all that was written; the first one goes for good, and another replica comes. */
  async failOver(): Promise<void> {
    const [old, heir] = [this.#serving, this.#replica];
    await old.redis.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    const offset = async () => /(?:master|slave)_repl_offset:(\d+)/.exec(await heir.redis.info('replication'))?.[1];
    const written = /master_repl_offset:(\d+)/.exec(await old.redis.info('replication'))?.[1];
    await eventually(async () => Number(await offset()) >= Number(written), true);
    await heir.redis.call('REPLICAOF', 'NO', 'ONE');
    this.#serving = heir;
    for (const way of this.#ways) way.leadTo(heir.port);
    await old.stop();
    this.#replica = await replicaOf(heir, this.args);
  }

  async stop(): Promise<void> {
    for (const way of this.#ways) await way.close();
    for (const server of [this.#replica, this.#serving]) await server.stop();
  }
}

async function replicaOf({ port }: Server, args: readonly string[]): Promise<Server> {
  const replica = await Server.start(args);
  await replica.redis.call('REPLICAOF', '127.0.0.1', String(port));
  return replica;
}
