import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TARGET_SETTINGS } from '../../src/config/settings/settings.ts';
import { createProcessor, defineSchema, Failure, plan, sweep, type TargetOptions } from '../../src/library/index.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { ACTIVE, beat, foreignIn, keysIn, nowOf, settle, STALE, writeAll } from '../support/world.ts';

const server = useRedis();

/** A client of the test's own, which it alone closes, at its end. */
function client(database = 0): Redis {
  return new Redis(`${server.current.url}/${database}`, { maxRetriesPerRequest: null });
}

describe('plan and sweep', () => {
  test('plan says what sweep then removes, and writes nothing (P7)', async () => {
    const { redis, url } = server.current;
    const gone = await settle(redis, 'c1', STALE);
    const kept = await settle(redis, 'c2', ACTIVE);
    const before = await keysIn(redis);
    const planned = await plan({ redis: url });
    expect(await keysIn(redis)).toEqual(before);
    expect(planned).toMatchObject({ dryRun: true, trigger: 'manual', keys: { found: gone.length, deleted: 0 } });

    const swept = await sweep({ redis: url });
    expect(swept.keys.deleted).toBe(planned.keys.found);
    expect(swept.keys.byFamily).toEqual(planned.keys.byFamily);
    expect((await keysIn(redis)).filter((key) => !key.startsWith('{stalesweep}:'))).toEqual(kept.sort());
  });

  test("a client of the caller's own tells the way, database included, and is as it was afterwards", async () => {
    const redis = client(3);
    await settle(redis, 'c1', STALE);
    await settle(server.current.redis, 'c2', STALE);
    const listeners = redis.eventNames().map((name) => redis.listenerCount(name));
    const report = await sweep({ redis, ledger: false });
    expect(report.coordinators.swept).toBe(1);
    expect([redis.status, await redis.dbsize(), await foreignIn(server.current.redis)]).toEqual(['ready', 0, 7]);
    expect(redis.eventNames().map((name) => redis.listenerCount(name))).toEqual(listeners);
    redis.disconnect();
  });

  test('a sweep stands in the ledger, with who went; without one nothing is written (P13)', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'c1', STALE);
    const { run } = await sweep({ redis: url, target: 'mine' });
    const { stdout } = await command(['history', '--json'], { REDIS_URL: url });
    expect(JSON.parse(stdout)).toMatchObject([{ run, target: 'mine', state: 'completed' }]);
    await redis.flushall();
    await settle(redis, 'c1', STALE);
    await sweep({ redis: url, ledger: false });
    expect(await keysIn(redis)).toEqual([]);
  });

  test('is a span below that of a caller who traces, with its phases, and names nobody', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'whoever', STALE);
    const exporter = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
    onTestFinished(async () => {
      for (const api of [trace, context, propagation]) api.disable();
      await provider.shutdown();
    });
    await trace.getTracer('mine').startActiveSpan('mine', async (span) => {
      await sweep({ redis: url, ledger: false });
      span.end();
    });
    const spans = exporter.getFinishedSpans();
    const below = (name: string) => {
      const id = spans.find((span) => span.name === name)?.spanContext().spanId;
      return spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === id).map((span) => span.name);
    };
    expect([below('mine'), below('run')]).toEqual([['run'], ['mark', 'gather', 'sweep', 'report']]);
    const run = spans.find(({ name }) => name === 'run');
    expect(run?.attributes).toMatchObject({ 'stalesweep.outcome': 'completed', 'stalesweep.coordinators.swept': 1 });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('whoever');
  });

  test('tells progress and who goes, and lets what a listener throws be thrown outside', async () => {
    const { redis, url } = server.current;
    const things = await settle(redis, 'c1', STALE);
    const told: unknown[] = [];
    const phases = new Set<string>();
    let hasThrown = false;
    const thrown = new Promise((resolve) => {
      // The test runner listens, too, and would take it for a failure of its own.
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException').once('uncaughtException', resolve);
      onTestFinished(() => {
        process.removeAllListeners('uncaughtException');
        for (const listener of others) process.on('uncaughtException', listener);
      });
    });
    const report = await sweep({
      redis: url,
      onCoordinator: async (one) => {
        told.push(one);
      },
      onProgress: ({ phase, percent }) => {
        phases.add(phase);
        if (percent >= 0 && !hasThrown) {
          hasThrown = true;
          throw new Error('of a listener');
        }
      },
    });
    expect(report.outcome).toBe('completed');
    expect(told).toMatchObject([{ coordinator: 'c1', swarm: 's1', keys: { heartbeat: 1 } }]);
    expect(report.keys.deleted).toBe(things.length);
    expect([...phases]).toContain('mark');
    expect(await thrown).toEqual(new Error('of a listener'));
  });

  test('goes no further after a no, or once it is aborted, and says what it removed', async () => {
    const { redis, url } = server.current;
    const all = await settle(redis, 'c1', STALE);
    expect(await sweep({ redis: url, confirm: () => false })).toMatchObject({
      outcome: 'stopped',
      keys: { deleted: 0 },
    });
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    const report = await sweep({ redis: url, signal: stop.signal, onProgress });
    expect(report).toMatchObject({ outcome: 'interrupted', coordinators: { swept: 0 } });
    expect(await foreignIn(redis)).toBe(all.length);
    await expect(sweep({ redis: url, signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  });

  test('fails in one sentence, with a code', async () => {
    const { url } = server.current;
    const failing = async (options: object): Promise<[string, string]> => {
      const error: unknown = await plan({ redis: url, ...options }).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      return error instanceof Failure ? [error.code, error.message] : ['', String(error)];
    };
    expect(await failing({ staleAftr: '10m' })).toEqual([
      'CONFIG',
      'options: unknown setting "staleAftr", did you mean "staleAfter"?',
    ]);
    expect(await failing({ staleAfter: 600 })).toEqual(['CONFIG', expect.stringContaining('has no unit')]);
    expect(await failing({ redis: 'http://x' })).toEqual(['CONFIG', expect.stringContaining('is not a Redis URL')]);
    expect(await failing({ redis: undefined })).toEqual(['CONFIG', expect.stringContaining('redis: is missing')]);
    expect(await failing({ schema: {} })).toEqual(['CONFIG', expect.stringContaining('what defineSchema returned')]);
    expect(await failing({ redis: 'redis://:hidden@127.0.0.1:1' })).toEqual([
      'UNREACHABLE',
      expect.not.stringContaining('hidden'),
    ]);
    const prefixed = new Redis({ lazyConnect: true, keyPrefix: 'app:' });
    expect(await failing({ redis: prefixed })).toEqual(['CONFIG', expect.stringContaining('keyPrefix')]);
  });

  test('takes every setting of a target that is not about schedules', () => {
    const scheduling = ['every', 'cron', 'tz', 'horizon', 'history'] as const;
    type Known = Exclude<keyof typeof TARGET_SETTINGS, (typeof scheduling)[number]>;
    const missing: Exclude<Known, keyof TargetOptions>[] = [];
    const stray: Exclude<keyof TargetOptions, Known | 'redis' | 'target' | 'ledger'>[] = [];
    expect([missing, stray, scheduling.filter((name) => !(name in TARGET_SETTINGS))]).toEqual([[], [], []]);
  });
});

describe('defineSchema', () => {
  test('takes what a file takes, and refuses the rest in a sentence with its name', async () => {
    const { redis, url } = server.current;
    const schema = defineSchema(
      { ids: { shape: 'host:pid' }, heartbeat: 'a:{coordinator}:beat', lock: 'lock:{coordinator}' },
      'mine',
    );
    expect(schema).toEqual({ name: 'mine', families: ['heartbeat', 'lock'] });
    const at = await nowOf(redis);
    await writeAll(redis, { 'a:h:1:beat': beat(at - 700_000), 'lock:h:1': '1', 'lock:h': '1' });
    await sweep({ redis: url, schema, ledger: false });
    expect(await keysIn(redis)).toEqual(['lock:h']);
    expect(() => defineSchema({ heartbeat: 'beat' }, 'mine')).toThrow(
      'schema "mine": family "heartbeat": key template "beat" must name {coordinator} exactly once',
    );
    expect(() => defineSchema({ heartbeat: 'b:{coordinator}' }, 'a b')).toThrow('the name of a schema is made of');
  });
});

describe('createProcessor', () => {
  test("does runs for a worker of the caller's own, and fails wrong jobs without retries", async () => {
    const connection = client();
    const { redis, url } = server.current;
    await settle(redis, 'c1', STALE);
    const worker = new Worker('own', createProcessor({ redis: url }), { connection, autorun: false });
    const queue = new Queue('own', { connection });
    const ended = async (data: object) => {
      const job = await queue.add('sweep', data, { attempts: 3 });
      await new Promise((resolve) => worker.once('completed', resolve).once('failed', resolve));
      return await queue.getJob(String(job.id));
    };
    void worker.run();
    const dry = await ended({ dryRun: true });
    expect(dry?.returnvalue).toMatchObject({ dryRun: true, outcome: 'completed', coordinators: { stale: 1 } });
    const wrong = await ended({ dryRunn: true });
    expect([wrong?.failedReason, wrong?.attemptsMade]).toEqual([
      expect.stringContaining('job data: unknown field "dryRunn"'),
      1,
    ]);
    const real = await ended({});
    expect(real?.returnvalue).toMatchObject({ dryRun: false, coordinators: { swept: 1 } });
    expect(real?.progress).toMatchObject({ percent: expect.any(Number) });
    expect((await queue.getJobLogs(String(real?.id))).logs.join('\n')).toContain('report: 1 coordinators swept');
    await Promise.all([worker.close(), queue.close()]);
    connection.disconnect();
  });
});
