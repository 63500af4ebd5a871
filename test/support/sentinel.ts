/** sentinel: three sentinels that watch a primary and a replica, all of one test file: what a primary's end is made of. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { startRedis, type TestRedis } from './redis.ts';

const NAME = 'mymaster';
const QUORUM = 2;
const PATIENCE = { timeout: 60_000, interval: 20 };
/** As long as nothing else hurries: a machine under load must not look like a dead server. */
const DOWN_AFTER_MS = 3_000;
/** The pipe to its stdin closes when this process dies; then the shell kills the server. */
const WATCHDOG = 'redis-server "$@" & server=$!; read -r _; kill -9 $server; wait $server';

interface Watcher {
  readonly port: number;
  readonly redis: Redis;
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** What clients of the servers that hold the keys, and of the sentinels, have to say; not asked for where it is missing. */
  readonly password?: string;
  readonly sentinelPassword?: string;
}

async function startWatcher(primary: number, { password, sentinelPassword }: SentinelOptions): Promise<Watcher> {
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-sentinel-'));
  const port = await getPort({ host: '127.0.0.1' });
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `logfile ${join(folder, 'sentinel.log')}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
    // What they ask of clients they ask of each other.
    ...(sentinelPassword === undefined ? [] : [`requirepass ${sentinelPassword}`]),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const shell: ChildProcess = spawn('sh', ['-c', WATCHDOG, 'redis-server', file, '--sentinel'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  redis.on('error', () => {});
  return {
    port,
    redis,
    stop: async () => {
      redis.disconnect();
      const gone = once(shell, 'exit');
      shell.stdin?.end();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The arguments of a replica. */
const following = ({ port }: TestRedis): readonly string[] => [
  ...['--replicaof', '127.0.0.1', `${port}`],
  ...['--repl-diskless-sync-delay', '0'],
];

export class Sentinels {
  #primaryIsDown = false;

  #primary: TestRedis;
  #replica: TestRedis;

  private constructor(
    primary: TestRedis,
    replica: TestRedis,
    readonly watchers: readonly Watcher[],
    private readonly options: SentinelOptions,
  ) {
    this.#primary = primary;
    this.#replica = replica;
  }

  /** The one that was it before the last failover, until it came back. */
  get primary(): TestRedis {
    return this.#primary;
  }

  get replica(): TestRedis {
    return this.#replica;
  }

  /** Starts them all; resolves once each sentinel knows the others and the replica. */
  static async start(options: SentinelOptions = {}): Promise<Sentinels> {
    const primary = await startRedis();
    const replica = await startRedis(following(primary));
    if (options.password !== undefined) {
      for (const { redis } of [primary, replica]) {
        await redis.config('SET', 'masterauth', options.password);
        await redis.config('SET', 'requirepass', options.password);
        // Its own connection comes back as well.
        redis.options.password = options.password;
      }
    }
    const watchers = await Promise.all([1, 2, 3].map(async () => await startWatcher(primary.port, options)));
    const sentinels = new Sentinels(primary, replica, watchers, options);
    await sentinels.#agree();
    return sentinels;
  }

  /** The address that names them. */
  get url(): string {
    const hosts = this.watchers.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `redis+sentinel://${this.options.password === undefined ? '' : `:${this.options.password}@`}${hosts}/${NAME}`;
  }

  /** Kills the primary (-9); resolves once every sentinel names the replica instead. */
  async failOver(): Promise<void> {
    this.#primaryIsDown = true;
    await this.primary.stop();
    for (const { redis } of this.watchers) {
      await vi.waitFor(async () => {
        const [, port] = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[];
        expect(port).toBe(`${this.replica.port}`);
      }, PATIENCE);
    }
    await vi.waitFor(async () => {
      expect(await this.replica.redis.info('replication')).toContain('role:master');
    }, PATIENCE);
  }

  /** Starts the killed one again at its address, as the replica of the other; resolves once each sentinel knows. */
  async comeBack(): Promise<void> {
    const back = await startRedis(following(this.#replica), this.#primary.port);
    [this.#primary, this.#replica] = [this.#replica, back];
    this.#primaryIsDown = false;
    await this.#agree();
  }

  async #agree(): Promise<void> {
    for (const { redis } of this.watchers) {
      await vi.waitFor(async () => {
        const told = (await redis.call('SENTINEL', 'MASTER', NAME)) as string[];
        const of = (field: string) => told[told.indexOf(field) + 1];
        expect([of('num-slaves'), of('num-other-sentinels'), of('flags')]).toEqual(['1', '2', 'master']);
        const replicas = (await redis.call('SENTINEL', 'REPLICAS', NAME)) as string[][];
        const flags = replicas.map((one) => [
          one[one.indexOf('flags') + 1],
          one[one.indexOf('master-link-status') + 1],
        ]);
        expect(flags).toEqual([['slave', 'ok']]);
      }, PATIENCE);
    }
    await vi.waitFor(async () => {
      expect(await this.#replica.redis.info('replication')).toContain('master_link_status:up');
    }, PATIENCE);
  }

  async stop(): Promise<void> {
    await Promise.all(this.watchers.map(async (one) => await one.stop()));
    if (!this.#primaryIsDown) await this.primary.stop();
    await this.replica.stop();
  }
}
