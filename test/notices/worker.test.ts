import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { createLogger } from '../../src/log/logger.ts';
import { Outage } from '../../src/log/outages.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import type { RunData } from '../../src/queue/runs/payload.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { startWorker } from '../../workers/worker.ts';
import { useRedis } from '../support/leaks.ts';
import { addUser } from '../support/users.ts';
import { NEVER } from '../support/queue.ts';
import { beat, heartbeatOf, nowOf, STALE, writeAll } from '../support/world.ts';
import { Receiver, silence } from './receiver.ts';

const server = useRedis();
const QUIET = { onError: () => {}, onReady: () => {} };

interface Data {
  readonly event: string;
  readonly target: string;
  readonly run: string;
}

/** Workers that share a queue and a receiver of notices. */
async function workersFor(receiver: Receiver, settings: object = {}, { count = 1, url = server.current.url } = {}) {
  // Beats are written in the past, which no horizon foresees.
  const text = JSON.stringify({ horizon: false, notify: { url: receiver.url, secret: 'hush' }, ...settings });
  const config = resolveConfig(
    {},
    { REDIS_URL: url, QUEUE_REDIS_URL: server.current.url, ...NEVER },
    { name: 'test.yaml', text },
  );
  const logger = createLogger('silent');
  const workers: { close(): Promise<void> }[] = [];
  const end = async () => {
    await Promise.all(workers.splice(0).map(async (worker) => await worker.close()));
  };
  onTestFinished(end);
  for (let n = 0; n < count; n++) {
    workers.push(await startWorker({ config, logger, metrics: new Metrics(), outage: new Outage(logger, 'queue') }));
  }
  const queues = await openQueues(config.queue, QUIET);
  workers.push(queues);
  const never = new AbortController().signal;
  return {
    queues,
    end,
    /** A run and its end: an outcome, or `failed`. */
    run: async (more: Partial<RunData> = {}): Promise<string> => {
      const { run } = await enqueue(queues.runs, config.targets, { target: 'default', trigger: 'schedule', ...more });
      const report = await waitForRun(queues, config.queue, QUIET, run, never).catch(() => null);
      return report?.outcome ?? 'failed';
    },
  };
}

async function silent(ids: readonly string[], seconds: number): Promise<void> {
  const now = await nowOf(server.current.redis);
  const written = ids.map((id) => [heartbeatOf(id), beat(now - seconds * 1000, id)]);
  await writeAll(server.current.redis, Object.fromEntries(written));
}
function named(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `c${n}`);
}

describe('a receiver of notices', () => {
  test('hears once of trouble however many workers meet it, once of its end, and of what was asked for by hand', async () => {
    const receiver = await Receiver.listen();
    const { run, end } = await workersFor(receiver, { maxStale: 1 }, { count: 3 });
    await silent(named(2), STALE);
    for (let n = 0; n < 4; n++) expect(await run()).toBe('refused');
    expect(await run({ trigger: 'manual' })).toBe('refused');
    expect(await run({ force: true, dryRun: true })).toBe('completed');
    expect(await run({ force: true })).toBe('completed');
    for (let n = 0; n < 3; n++) expect(await run()).toBe('completed');
    await end();
    expect(receiver.events).toEqual(['refused', 'refused', 'recovered']);
    const [first, ...others] = receiver.received.map(({ body }) => JSON.parse(body));
    expect(first).toEqual({
      type: 'run.refused',
      timestamp: first.data.finishedAt,
      text: expect.stringMatching(/^stalesweep: run 1 of target "default" was refused: 2 of 2 coordinators look stale/),
      data: expect.objectContaining({
        event: 'refused',
        before: null,
        target: 'default',
        run: '1',
        trigger: 'schedule',
        outcome: 'refused',
        reason: expect.stringContaining('maxStale 1'),
        coordinators: expect.objectContaining({ stale: 2, swept: 0 }),
      }),
    });
    expect(others.map(({ data }: { data: Data & { before: string } }) => [data.run, data.before])).toEqual([
      ['5', 'refused'],
      ['7', 'refused'],
    ]);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  });

  test('hears of runs that fail, also for what they were asked, and then only those that it wants to hear of', async () => {
    const receiver = await Receiver.listen();
    const { redis } = server.current;
    const url = await addUser(server.current, ['~*', '+@all', '-unlink']);
    const notify = { url: receiver.url, on: ['failed', 'recovered'] };
    const { run, queues, end } = await workersFor(receiver, { notify }, { url });
    await silent(named(2), STALE);
    for (let n = 0; n < 3; n++) expect(await run()).toBe('failed');
    await redis.call('ACL', 'SETUSER', 'stalesweep', '+unlink');
    expect(await run()).toBe('completed');
    await queues.runs.add('cleanup', { target: 'default', staleAfter: '1s', trigger: 'schedule' });
    await receiver.untilReceived(3);
    expect(await run()).toBe('completed');
    await end();
    expect(receiver.events).toEqual(['failed', 'recovered', 'failed', 'recovered']);
    const [failed, , wrong] = receiver.received;
    expect(failed?.headers).not.toHaveProperty('webhook-signature');
    expect(failed?.body).toContain('UNLINK');
    expect(wrong?.body).toContain('staleAfter');
  });

  test('hears of coordinators that are held, until none is (P12)', async () => {
    const receiver = await Receiver.listen();
    const { run, end } = await workersFor(receiver);
    const ids = named(60);
    await silent(ids, 1);
    expect(await run()).toBe('completed');
    await silent(ids.slice(10), STALE);
    for (let n = 0; n < 2; n++) expect(await run()).toBe('completed');
    await silent(ids, 1);
    expect(await run()).toBe('completed');
    await end();
    expect(receiver.events).toEqual(['held', 'recovered']);
    expect(JSON.parse(receiver.received[0]?.body ?? '').data).toMatchObject({
      held: { since: expect.any(String), until: expect.any(String) },
      coordinators: { held: 50 },
    });
  });

  test('that never answers keeps no run from ending, nor a worker', async () => {
    const receiver = await Receiver.listen();
    receiver.usually = silence;
    const { run, end } = await workersFor(receiver, { maxStale: 0 });
    await silent(named(2), STALE);
    expect(await run()).toBe('refused');
    await receiver.untilReceived(1);
    expect(await run({ trigger: 'manual' })).toBe('refused');
    expect(await run({ force: true })).toBe('completed');
    await end();
    expect(receiver.events).toEqual(['refused']);
  });
});
