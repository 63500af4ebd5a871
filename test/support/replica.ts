/** replica: a primary and a replica of it whose way to it can be held up, both of one test file. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { Way } from '../chaos/way.ts';
import { expectNoLeaks } from './leaks.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { walkedGlobs } from '../../src/schema/glob.ts';
import { targetOf } from './cleanup.ts';

/** A run asks beforehand whether it may walk by each pattern that it may come to walk by, of the schema that tests have. */
export const SCANS_ASKED = walkedGlobs(targetOf('redis://127.0.0.1').schema).length;

const PATIENCE = { timeout: 60_000, interval: 10 };
/** A replica that comes back is served at once, and one that is held up is not given up. */
const ARGS = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '600', '--enable-debug-command', 'yes'];

export interface Pair {
  readonly primary: TestRedis;
  readonly replica: TestRedis;
  /** By which the replica hears its primary. */
  readonly way: Way;
  /** Settings by which runs of the primary read the replica. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Resolves once the replica shows all that the primary holds now. */
  readonly inStep: () => Promise<void>;
}

/** The settings of a target `default` that is read from these. */
export function readFrom(...replicas: readonly string[]) {
  return {
    readFrom: 'replica',
    targets: { default: { replicas } },
  };
}

/** Makes `replica` one of the primary that the way leads to. */
export async function follow(replica: TestRedis, way: Way): Promise<void> {
  await replica.redis.replicaof('127.0.0.1', Number(new URL(way.url).port));
  await vi.waitFor(async () => {
    expect(await replica.redis.info('replication')).toContain('master_link_status:up');
  }, PATIENCE);
}

async function offsetOf({ redis }: TestRedis, field: string): Promise<number> {
  return Number(new RegExp(`${field}:(\\d+)`).exec(await redis.info('replication'))?.[1]);
}

async function startPair(): Promise<Pair & { readonly stop: () => Promise<void> }> {
  const [primary, replica] = await Promise.all([startRedis(ARGS), startRedis(ARGS)]);
  const way = await Way.to(primary.port);
  await follow(replica, way);
  return {
    primary,
    replica,
    way,
    settings: readFrom(replica.url),
    inStep: async () => {
      const offset = await offsetOf(primary, 'master_repl_offset');
      await vi.waitFor(async () => {
        expect(await offsetOf(replica, 'slave_repl_offset')).toBeGreaterThanOrEqual(offset);
      }, PATIENCE);
    },
    stop: async () => {
      await way.close();
      await Promise.all([primary.stop(), replica.stop()]);
    },
  };
}

/** A pair for a test file: empty before each test, and checked for leaked connections after it. */
export function usePair(): { readonly current: Pair } {
  let pair: Awaited<ReturnType<typeof startPair>> | undefined;
  const current = (): Pair => {
    if (pair === undefined) throw new Error('the pair of this file runs only while its tests do');
    return pair;
  };
  beforeAll(async () => {
    pair = await startPair();
  });
  beforeEach(async () => {
    await current().primary.redis.flushall();
    await current().inStep();
  });
  afterEach(async () => {
    const { primary, replica, way } = current();
    way.clear();
    for (const server of [primary, replica]) await expectNoLeaks(server);
  });
  afterAll(async () => {
    await pair?.stop();
  });
  return {
    get current() {
      return current();
    },
  };
}

/** How often each command was called at a server since `CONFIG RESETSTAT`, the fixture's own left out. */
export async function callsAt({ redis }: TestRedis): Promise<Record<string, number>> {
  const told = await redis.info('commandstats');
  return Object.fromEntries(
    [...told.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, calls]) => [String(name), Number(calls)]),
  );
}
