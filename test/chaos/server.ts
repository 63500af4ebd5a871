/** server: a redis-server that goes and comes back at the same address, with the data it had written. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { eventually } from './eventually.ts';

export class Server {
  readonly url: string;
  readonly port: number;
  #running: TestRedis;

  private constructor(
    running: TestRedis,
    private readonly args: readonly string[],
    /** Where its data is. */
    readonly folder: string,
  ) {
    this.#running = running;
    this.url = running.url;
    this.port = running.port;
  }

  static async start(args: readonly string[] = []): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'stalesweep-chaos-'));
    return new Server(await startRedis([...args, '--dir', folder]), args, folder);
  }

  /** The fixture's own connection, as long as this server runs. */
  get redis(): Redis {
    return this.#running.redis;
  }

  /** Ends it in order: it writes all it holds first. */
  async shutDown(): Promise<void> {
    const { redis } = this.#running;
    const gone = once(redis, 'close');
    // It answers by closing the connection.
    redis.call('SHUTDOWN', 'SAVE').catch(() => {});
    await gone;
    await this.#running.stop();
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#running.stop();
  }

  /** Starts it again, after it went. */
  async comeBack(): Promise<void> {
    this.#running = await startRedis([...this.args, '--dir', this.folder], this.port);
  }

  /** Does something to its data while it is away, at another address. */
  async whileAway(act: (redis: Redis) => Promise<unknown>): Promise<void> {
    const elsewhere = new Server(await startRedis([...this.args, '--dir', this.folder]), this.args, this.folder);
    await act(elsewhere.redis);
    await elsewhere.shutDown();
  }

  /** Fails when anybody but the fixture is still connected. */
  async expectNoLeaks(): Promise<void> {
    const strangers = async () => {
      const clients = String(await this.redis.call('CLIENT', 'LIST'))
        .trim()
        .split('\n');
      return clients.filter((client) => !client.includes(' name=fixture '));
    };
    await eventually(strangers, []);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.#running.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function snapshotOf({ folder }: Server): string {
  return join(folder, 'dump.rdb');
}

async function saved({ redis }: Server, how: 'ok' | 'err'): Promise<void> {
  await redis.bgsave();
  const status = `rdb_last_bgsave_status:${how}`;
  await eventually(() => redis.info('persistence'), expect.stringContaining(status));
}

/** From now on its snapshots fail, since a folder stands where they are to be written; so it takes no writes (MISCONF). */
export async function failToSave(server: Server): Promise<void> {
  await rm(snapshotOf(server), { force: true });
  await mkdir(snapshotOf(server));
  await saved(server, 'err');
}

export async function saveAgain(server: Server): Promise<void> {
  await rm(snapshotOf(server), { recursive: true });
  await saved(server, 'ok');
}
