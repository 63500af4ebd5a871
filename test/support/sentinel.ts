/** sentinel: three sentinels that watch a primary and a replica, all of one test file: what a primary's end is made of. */
import { expect, vi } from 'vitest';
import type { TestRedis } from './redis.ts';
import { type Member, NAME, type SentinelOptions, startMember, startWatcher, type Watcher } from './sentinelServers.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

export class Sentinels {
  #primaryIsDown = false;

  #primary: Member;
  #replica: Member;

  private constructor(
    primary: Member,
    replica: Member,
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
    const primary = await startMember(options);
    const replica = await startMember(options, primary);
    const watchers = await Promise.all([1, 2, 3].map(async () => await startWatcher(primary.known, options)));
    const sentinels = new Sentinels(primary, replica, watchers, options);
    await sentinels.#agree();
    return sentinels;
  }

  /** The address that names them. */
  get url(): string {
    const hosts = this.watchers.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const { user = '', password, tls } = this.options;
    const entry = password === undefined ? '' : `${user}:${password}@`;
    return `redis${tls === undefined ? '' : 's'}+sentinel://${entry}${hosts}/${NAME}`;
  }

  /** Kills the primary (-9); resolves once every sentinel names the replica instead. */
  async failOver(): Promise<void> {
    this.#primaryIsDown = true;
    await this.primary.stop();
    for (const { redis } of this.watchers) {
      await vi.waitFor(async () => {
        const [, port] = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[];
        expect(port).toBe(`${this.#replica.known}`);
      }, PATIENCE);
    }
    await vi.waitFor(async () => {
      expect(await this.replica.redis.info('replication')).toContain('role:master');
    }, PATIENCE);
  }

  /** Starts the killed one again at its address, as the replica of the other; resolves once each sentinel knows. */
  async comeBack(): Promise<void> {
    const back = await startMember(this.options, this.#replica, this.#primary);
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
