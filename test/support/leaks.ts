/** leaks: a test that leaves a connection open fails. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { startRedis, type TestRedis } from './redis.ts';

const PATIENCE_MS = 60_000;

/**
 * The connections to the server other than the fixture's own, those of replication, from a replica (S) or to a primary (M), and those over
 * which another server has moved keys here: it keeps them for ten seconds.
 */
async function strangers({ redis }: TestRedis): Promise<string[]> {
  const list = String(await redis.call('CLIENT', 'LIST'));
  const isOurs = (line: string) => / name=fixture | flags=[SM]+ | cmd=restore(-asking)? /.test(line);
  return list.split('\n').filter((line) => line !== '' && !isOurs(line));
}

/** Fails when connections are left; a server needs a moment to notice that a client went. */
export async function expectNoLeaks(server: TestRedis): Promise<void> {
  await expect.poll(() => strangers(server), { timeout: PATIENCE_MS, interval: 10 }).toEqual([]);
}

/** A private Redis for a test file: empty before each test, checked for leaked connections after it. */
export function useRedis(args: readonly string[] = []): { readonly current: TestRedis } {
  let server: TestRedis | undefined;
  const current = (): TestRedis => {
    if (server === undefined) throw new Error('the Redis of this file runs only while its tests do');
    return server;
  };
  beforeAll(async () => {
    server = await startRedis(args);
  });
  beforeEach(async () => {
    await current().redis.flushall();
  });
  afterEach(async () => {
    await expectNoLeaks(current());
  });
  afterAll(async () => {
    await server?.stop();
  });
  return {
    get current() {
      return current();
    },
  };
}
