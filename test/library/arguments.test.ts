/** arguments: what programs without types may hand over is refused by name, and a client tells where it is, not where it was to be. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { beat, createProcessor, plan, type Report, sweep } from '../../src/library/index.ts';
import { runOnce } from '../../src/library/sweep.ts';
import { useRedis } from '../support/leaks.ts';
import { settle, STALE } from '../support/world.ts';

const server = useRedis();

/** A call as a program in JavaScript may make it. */
const called = {
  plan: async (options?: unknown) => await plan(options as never),
  sweep: async (options?: unknown) => await sweep(options as never),
  beat: async (options?: unknown) => await beat(options as never),
  createProcessor: async (options?: unknown) => await Promise.resolve().then(() => createProcessor(options as never)),
};

describe('the database of a client', () => {
  /** A client of the test's own, which it alone closes, at its end. */
  function client(database: number): Redis {
    return new Redis(`${server.current.url}/${database}`, { maxRetriesPerRequest: null });
  }

  test.each([
    [0, 3],
    [5, 0],
    [5, 3],
  ])('opened with database %i is the one selected since, %i, and no other is touched', async (opened, selected) => {
    const redis = client(opened);
    await settle(redis, 'elsewhere', STALE);
    await redis.select(selected);
    await settle(redis, 'here', STALE);
    const told: unknown[] = [];
    const report = await sweep({ redis, ledger: false, onCoordinator: (one) => void told.push(one.coordinator) });
    expect([told, report.coordinators.checked, await redis.dbsize()]).toEqual([['here'], 1, 0]);
    await redis.select(opened);
    expect(await redis.dbsize()).toBe(7);
    redis.disconnect();
  });

  test('stays the selected one while a lost connection comes back', async () => {
    const redis = client(0);
    await settle(redis, 'elsewhere', STALE);
    await redis.select(3);
    await settle(redis, 'here', STALE);
    const options = { redis, ledger: false as const };
    const begun = new Promise<Report>((resolve, reject) => {
      redis.once('connecting', () => void sweep(options).then(resolve, reject));
    });
    redis.disconnect(true);
    expect((await begun).coordinators.swept).toBe(1);
    expect(await redis.dbsize()).toBe(0);
    await redis.select(0);
    expect(await redis.dbsize()).toBe(7);
    redis.disconnect();
  });

  test('is refused where a Connector of its own finds the way, which no address tells', async () => {
    const redis = client(0);
    const redirected = { call: redis.call.bind(redis), options: { ...redis.options, Connector: class {} } };
    await expect(plan({ redis: redirected })).rejects.toMatchObject({ code: 'CONFIG' });
    redis.disconnect();
  });
});

describe('options', () => {
  test.each(Object.entries(called))('%s without an object of options says so (CONFIG)', async (name, call) => {
    for (const options of [undefined, null, 'redis://h', ['redis://h']]) {
      const sentence = `${name}: must get an object of options`;
      await expect(call(options)).rejects.toMatchObject({ code: 'CONFIG', message: sentence });
    }
  });

  test.each([
    ['signal', 5, 'signal: must be an AbortSignal'],
    ['onProgress', {}, 'onProgress: must be a function'],
    ['onCoordinator', 'x', 'onCoordinator: must be a function'],
    ['confirm', true, 'confirm: must be a function'],
    ['force', 'yes', 'force: "yes" must be true or false'],
    ['force', 1, 'force: 1 must be true or false'],
    ['target', 5, 'target: 5 must be the name of a target, in quotes'],
    ['schema', null, 'options: schema: null must be the name of a schema, in quotes'],
    ['protect', () => ['c1'], 'options: protect: {…} must be a list such as [c42, "leader-*"]'],
    ['maxStale', () => 5, 'options: maxStale: {…} must be a whole number from 0 to 1000000000'],
  ])('%s: %s is refused before anything is removed', async (name, value, message) => {
    const { redis, url } = server.current;
    await settle(redis, 'c1', STALE);
    await expect(called.sweep({ redis: url, [name]: value })).rejects.toMatchObject({ code: 'CONFIG', message });
    expect(await redis.dbsize()).toBe(7);
  });

  test('force: "false", as a variable holds it, forces nothing', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'c1', STALE);
    const options = { redis: url, ledger: false, maxStale: 0 };
    expect(await called.sweep({ ...options, force: 'false' })).toMatchObject({ outcome: 'refused' });
    expect(await called.sweep({ ...options, force: 'true' })).toMatchObject({ outcome: 'completed' });
  });

  test.each([['yes'], [1], [undefined], [{}]])(
    'confirm that answers %o, and not true, confirms nothing',
    async (answer) => {
      const { redis, url } = server.current;
      await settle(redis, 'c1', STALE);
      const report = await called.sweep({ redis: url, ledger: false, confirm: async () => answer });
      expect([report.outcome, await redis.dbsize()]).toEqual(['stopped', 7]);
    },
  );

  test.each([
    [{ coordinator: 5 }, 'coordinator: 5 must be an id, in quotes'],
    [{ swarm: 5 }, 'swarm: 5 must be an id, in quotes'],
    [{ evry: '1s' }, 'beat: unknown setting "evry", did you mean "every"?'],
    [{ fields: {} }, 'fields: must be a function'],
    [{ onExit: 'no' }, 'onExit: "no" must be true or false'],
  ])('a heart with %o does not begin to beat', async (wrong, message) => {
    const { redis, url } = server.current;
    const options = { redis: url, coordinator: 'c1', swarm: 's1', ...wrong };
    await expect(called.beat(options)).rejects.toMatchObject({ code: 'CONFIG', message });
    expect(await redis.dbsize()).toBe(0);
  });
});

describe('a signal', () => {
  test('ends a run that waits for an answer that never comes, with nothing removed', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'c1', STALE);
    const stop = new AbortController();
    const confirm = async () => {
      setImmediate(() => stop.abort());
      return await new Promise<boolean>(() => {});
    };
    const report = await sweep({ redis: url, ledger: false, signal: stop.signal, confirm });
    expect([report.outcome, await redis.dbsize()]).toEqual(['interrupted', 7]);
  });

  test('aborted before anybody was asked, asks nobody', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'c1', STALE);
    const stop = new AbortController();
    let asked = 0;
    const confirm = async () => await new Promise<boolean>(() => void asked++);
    const options = { redis: url, ledger: false as const, signal: stop.signal, confirm };
    const onPhase = (phase: string) => void (phase === 'gather' && stop.abort());
    const report = await runOnce(options, { dryRun: false, onPhase });
    expect([report.outcome, asked, await redis.dbsize()]).toEqual(['interrupted', 0, 7]);
  });

  test('ends what waits for a Redis that does not answer, each with the reason of the signal', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const redis = `redis://127.0.0.1:${port}`;
    const reason = new Error('of its caller');
    for (const call of [called.plan, called.sweep, called.beat]) {
      const stop = new AbortController();
      silent.once('connection', () => stop.abort(reason));
      const options = call === called.beat ? { coordinator: 'c1', swarm: 's1' } : {};
      await expect(call({ redis, ...options, signal: stop.signal })).rejects.toBe(reason);
    }
    silent.close();
  });

  test("ends a first beat that waits in a client of one's own, or at a Redis that stands still", async () => {
    const { redis, url } = server.current;
    const ended = async (to: string | Redis) => {
      const stop = new AbortController();
      const reason = new Error('of its caller');
      const begun = beat({ redis: to, coordinator: 'c1', swarm: 's1', signal: stop.signal });
      setTimeout(() => stop.abort(reason), 100);
      await expect(begun).rejects.toBe(reason);
    };
    const unreached = new Redis(1, { lazyConnect: true, maxRetriesPerRequest: null });
    unreached.on('error', () => {});
    onTestFinished(() => unreached.disconnect());
    await ended(unreached);
    const begun = new Redis(url);
    await begun.ping();
    await redis.client('PAUSE', 400, 'ALL');
    await ended(begun);
    // What was under way as it ended is taken back.
    await expect.poll(() => redis.dbsize()).toBe(0);
    begun.disconnect();
  });
});
