/** P1 where a replica is behind, or is not one any more. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Observer } from '../../src/cleanup/context.ts';
import { cleanWhatAnswers } from '../support/cleanup.ts';
import { finished } from '../support/finished.ts';
import { startRedis } from '../support/redis.ts';
import { follow, readFrom, usePair } from '../support/replica.ts';
import { ACTIVE, beat, heartbeatOf, keysIn, nowOf, settle } from '../support/world.ts';

const pair = usePair();
const SILENT = 3_600;

/** Resolves with the sentence of a warning that matches. */
function heard(pattern: RegExp): { readonly observer: Observer; readonly sentence: Promise<string> } {
  let tell: (sentence: string) => void = () => {};
  const sentence = new Promise<string>((resolve) => {
    tell = resolve;
  });
  return { observer: { warn: (said) => pattern.test(said) && tell(said) }, sentence };
}

/** A coordinator that beats until the test ends, with a heartbeat that outlives its beat by less than a lag of seconds. */
function beatOn(id: string, ttlMs: number): void {
  const { redis } = pair.current.primary;
  const ended = new AbortController();
  const beating = (async () => {
    while (!ended.signal.aborted) {
      await redis.set(heartbeatOf(id), beat(await nowOf(redis), id), 'PX', ttlMs);
      await pause(100);
    }
  })();
  finished(async () => {
    ended.abort();
    await beating;
  });
}

describe('a replica that is behind', () => {
  test('is waited for, and nobody loses anything who beat meanwhile (P1)', async () => {
    const { primary, replica, way, settings } = pair.current;
    await settle(primary.redis, 'revived', SILENT);
    await settle(primary.redis, 'gone', SILENT);
    const living = await settle(primary.redis, 'living', ACTIVE);
    await pair.current.inStep();
    way.stall();
    beatOn('brief', 2_000);
    const shared = 'blocking:idempotency:gone:brief:done:1';
    await primary.redis.set(shared, '1');
    const revived = await settle(primary.redis, 'revived', 0);
    const { observer, sentence } = heard(/waiting for/);
    const run = cleanWhatAnswers(primary.url, { settings, observer });
    expect(await sentence).toBe(`waiting for the replica at ${replica.url}, which is behind its primary`);
    expect(await replica.redis.exists(heartbeatOf('brief'))).toBe(0);
    way.clear();
    const report = await run;
    expect(report.coordinators).toMatchObject({ active: 3, stale: 1, swept: 1, revived: 0 });
    expect(await keysIn(primary.redis)).toEqual([...living, ...revived, heartbeatOf('brief'), shared].sort());
  });

  test('is waited for again before anything goes: who was born meanwhile keeps what names others, too (P1)', async () => {
    const { primary, way, settings } = pair.current;
    await settle(primary.redis, 'gone', SILENT);
    await primary.redis.set('blocking:idempotency:gone:born:done:1', '1');
    const { observer, sentence } = heard(/waiting for/);
    const born = async (): Promise<boolean> => {
      way.stall();
      await primary.redis.set(heartbeatOf('born', 's9'), beat(await nowOf(primary.redis), 'born'));
      await primary.redis.set(heartbeatOf('gone', 's8'), beat(await nowOf(primary.redis), 'gone'));
      void sentence.then(() => way.clear());
      return true;
    };
    const report = await cleanWhatAnswers(primary.url, { settings, observer, confirm: born });
    await sentence;
    expect(report.coordinators).toMatchObject({ stale: 1 });
    const left = await keysIn(primary.redis);
    expect(left).toContain('blocking:idempotency:gone:born:done:1');
    // What names no swarm is his who lives in another one.
    expect(left).toContain('blocking:signal:gone');
  });

  test('ends the run when it does not catch up, and nothing goes', async () => {
    const { primary, replica, way, settings } = pair.current;
    await settle(primary.redis, 'gone', SILENT);
    await pair.current.inStep();
    way.stall();
    await settle(primary.redis, 'later', SILENT);
    const all = await keysIn(primary.redis);
    await expect(cleanWhatAnswers(primary.url, { settings })).rejects.toThrow(
      new RegExp(
        `the replica at ${replica.url} is \\d+ s or more behind its primary: who lives can not be told from it`,
      ),
    );
    expect(await keysIn(primary.redis)).toEqual(all);
  });

  test('is passed over for one that has caught up', async () => {
    const { primary, replica, way } = pair.current;
    const other = await startRedis(['--repl-diskless-sync-delay', '0']);
    finished(other.stop);
    await other.redis.replicaof('127.0.0.1', primary.port);
    await settle(primary.redis, 'gone', SILENT);
    await expect.poll(async () => await other.redis.dbsize(), { timeout: 60_000 }).toBe(7);
    way.stall();
    await settle(primary.redis, 'gone too', SILENT);
    const told: string[] = [];
    const report = await cleanWhatAnswers(primary.url, {
      settings: readFrom('redis://127.0.0.1:1', replica.url, other.url),
      observer: { phase: (_, sentence) => told.push(sentence) },
    });
    expect(report.coordinators).toMatchObject({ stale: 2, swept: 2 });
    expect(told[0]).toContain(`the replica at ${other.url}`);
  });
});

describe('a replica that is lost in mid-run', () => {
  test.for<readonly [string, string, () => Promise<void>]>([
    ['is promoted', 'is a primary', async () => void (await pair.current.replica.redis.replicaof('NO', 'ONE'))],
    [
      'is to follow another primary',
      'is the replica of another primary',
      async () => {
        const other = await startRedis(['--repl-diskless-sync-delay', '0']);
        finished(other.stop);
        await pair.current.replica.redis.replicaof('127.0.0.1', other.port);
        await expect
          .poll(async () => await pair.current.replica.redis.info('replication'), { timeout: 60_000 })
          .toContain('master_link_status:up');
      },
    ],
  ])('since it %s ends the run, and nobody loses anything', async ([, sentence, change]) => {
    const { primary, replica, way, settings } = pair.current;
    finished(async () => await follow(replica, way));
    await settle(primary.redis, 'gone', SILENT);
    await primary.redis.set('blocking:idempotency:gone:other:done:1', '1');
    const all = await keysIn(primary.redis);
    const run = cleanWhatAnswers(primary.url, {
      settings,
      confirm: async () => {
        await change();
        return true;
      },
    });
    await expect(run).rejects.toThrow(`the replica at ${replica.url} ${sentence}: who lives can not be told from it`);
    expect(await keysIn(primary.redis)).toEqual(all);
  });

  test('since it was killed ends the run, and nobody loses anything', async () => {
    const { primary } = pair.current;
    const mortal = await startRedis(['--repl-diskless-sync-delay', '0']);
    await mortal.redis.replicaof('127.0.0.1', primary.port);
    await settle(primary.redis, 'gone', SILENT);
    await primary.redis.set('blocking:idempotency:gone:other:done:1', '1');
    const all = await keysIn(primary.redis);
    const run = cleanWhatAnswers(primary.url, {
      settings: readFrom(mortal.url),
      confirm: async () => {
        await mortal.stop();
        return true;
      },
    });
    await expect(run).rejects.toThrow(`Redis at ${mortal.url} could not be reached`);
    expect(await keysIn(primary.redis)).toEqual(all);
  });
});

describe('a server that shows something else than the primary holds', () => {
  test.for([
    ['is no replica', [], 'is a primary'],
    ['takes writes', ['--replica-read-only', 'no'], 'takes writes of its own'],
    [
      'evicts keys',
      ['--replica-ignore-maxmemory', 'no', '--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-random'],
      'has evicted or refused keys at a memory limit of its own',
    ],
  ] as const)('is not read: one that %s', async ([what, args, sentence]) => {
    const { primary } = pair.current;
    const other = await startRedis(['--repl-diskless-sync-delay', '0', ...args]);
    finished(other.stop);
    if (what !== 'is no replica') {
      await other.redis.replicaof('127.0.0.1', primary.port);
      const written = async (): Promise<string> => {
        await primary.redis.set('large', 'x'.repeat(4_000_000));
        return await other.redis.info();
      };
      await expect.poll(written, { timeout: 60_000 }).toMatch(/master_link_status:up/);
      if (what === 'evicts keys')
        await expect.poll(written, { timeout: 60_000 }).toMatch(/evicted_keys:[1-9]|errorstat_OOM/);
    }
    await settle(primary.redis, 'gone', SILENT);
    const all = await keysIn(primary.redis);
    await expect(cleanWhatAnswers(primary.url, { settings: readFrom(other.url) })).rejects.toThrow(
      `the replica at ${other.url} ${sentence}`,
    );
    expect(await keysIn(primary.redis)).toEqual(all);
  });

  test('is told of where none is named', async () => {
    await expect(cleanWhatAnswers(pair.current.primary.url, { settings: { readFrom: 'replica' } })).rejects.toThrow(
      `has none; name some as replicas: ["redis://host:6379"], or set readFrom: primary`,
    );
  });
});
