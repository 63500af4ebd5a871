import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { cli, startWorker } from '../support/cli.ts';
import { type ReceivedSpan, sendingTo, startCollector } from '../support/collector.ts';
import { command } from '../support/command.ts';
import { populate } from '../support/populate.ts';
import { MOST_WAIT_MS, NEVER, useQueue } from '../support/queue.ts';

const queue = useQueue();
function env(more: Record<string, string> = {}) {
  return { ...queue.env(NEVER), ...more };
}

/** Names and kinds, the children of each behind it. */
function treeOf(spans: readonly ReceivedSpan[], parent?: string): unknown[] {
  return spans
    .filter(({ parentSpanId }) => (parentSpanId || undefined) === parent)
    .map(({ name, kind, spanId }) => [name, kind, ...treeOf(spans, spanId)]);
}

const PHASES = [
  ['mark', 1],
  ['gather', 1],
  ['sweep', 1],
  ['report', 1],
];

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span ${name}`);
  return found;
}

describe('traces', () => {
  test('lead from who asked for a run over the queue to its phases, count what it did, and name nobody', async () => {
    const collector = await startCollector();
    await populate(env(), 100, 90);
    await queue.server.redis.set('swarm:s:blocking:heartbeat:secret-id', 'no JSON');
    const worker = await startWorker(env({ ...sendingTo(collector), OTEL_RESOURCE_ATTRIBUTES: 'team=blue' }));
    const asked = await command(['enqueue', '--wait', '--json'], env(sendingTo(collector)));
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(await worker.kill('SIGTERM')).toMatchObject({ code: 0 });
    const report = JSON.parse(asked.stdout) as Report;
    const spans = collector.spans();
    expect(treeOf(spans)).toEqual([['add cleanup.cleanup', 4, ['process cleanup', 5, ['run', 1, ...PHASES]]]]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const { attributes, resource } = named(spans, 'run');
    expect(attributes).toMatchObject({
      'stalesweep.run': report.run,
      'stalesweep.target': 'default',
      'stalesweep.trigger': 'manual',
      'stalesweep.dry_run': false,
      'stalesweep.attempt': 1,
      'stalesweep.outcome': 'completed',
      'stalesweep.coordinators.checked': 101,
      'stalesweep.coordinators.unreadable': 1,
      'stalesweep.coordinators.swept': 90,
      'stalesweep.keys.deleted': report.keys.deleted,
    });
    expect(resource).toMatchObject({ 'service.name': 'stalesweep', team: 'blue' });
    expect(collector.bodies.join()).not.toMatch(/secret-id|coordinator-\d|blocking:/);
  });

  test('tell of a run that failed why, by its code', async () => {
    const collector = await startCollector();
    const gone = { REDIS_URL: 'redis://user:secret@127.0.0.1:1', QUEUE_REDIS_URL: queue.server.url };
    const { code, stderr } = await command(['run'], { ...gone, ...sendingTo(collector), OTEL_SERVICE_NAME: 'mine' });
    expect([code, stderr.split('\n').length]).toEqual([1, 2]);
    const run = named(collector.spans(), 'run');
    expect(run.status).toEqual({ code: 2, message: expect.stringContaining('could not be reached') });
    expect(run.attributes).toMatchObject({ 'stalesweep.outcome': 'failed', 'error.type': 'UNREACHABLE' });
    expect(run.resource).toMatchObject({ 'service.name': 'mine' });
    expect(collector.bodies.join()).not.toContain('secret');
  });

  test('go as protobuf, unless JSON is asked for, with the headers that the environment adds', async () => {
    const collector = await startCollector();
    const { OTEL_EXPORTER_OTLP_PROTOCOL: _, ...usual } = sendingTo(collector);
    const { code } = await command(['run', '--json'], env({ ...usual, OTEL_EXPORTER_OTLP_HEADERS: 'x-team=blue' }));
    expect(code).toBe(0);
    expect(collector.headers).not.toEqual([]);
    for (const headers of collector.headers)
      expect(headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-team': 'blue' });
    expect(collector.bodies.join()).toContain('stalesweep.outcome');
  });

  test('are not sent where they are switched off, whatever else is set', async () => {
    const collector = await startCollector();
    for (const off of [{ OTEL_TRACES_EXPORTER: 'none' }, { OTEL_SDK_DISABLED: 'true' }]) {
      const ended = await command(['run', '--json'], env({ ...sendingTo(collector), ...off }));
      expect(ended).toMatchObject({ code: 0, stderr: '' });
    }
    expect(collector.bodies).toEqual([]);
  });

  test('go to an SDK that was loaded before, and nowhere else', async () => {
    const collector = await startCollector();
    const preload = new URL('preloaded.mjs', import.meta.url).href;
    const more = { ...sendingTo(collector), NODE_OPTIONS: `--import=${preload}` };
    const { code, stderr } = await cli(['run', '--json'], env(more));
    expect(code).toBe(0);
    expect(stderr).toMatch(/span mark\n(span \w+\n)*span run\n/);
    expect(collector.bodies).toEqual([]);
  });
});

describe('a collector', () => {
  test('that hangs keeps no worker from its runs, nor from leaving in time', async () => {
    const collector = await startCollector(() => {});
    const worker = await startWorker(env(sendingTo(collector)));
    const job = await queue.runs.add('cleanup', { target: 'default' });
    await job.waitUntilFinished(queue.events, MOST_WAIT_MS);
    await collector.asked();
    const { code, stderr } = await worker.kill('SIGTERM');
    expect(code).toBe(0);
    expect(stderr).toContain('traces: lost');
    expect(stderr).toContain('worker stopped');
    expect(stderr).not.toContain('not everything could be closed in time');
  });

  test.each([
    ['hangs', () => {}, 'the collector does not answer'],
    ['refuses', (response) => response.writeHead(403, 'No').end(), 'No'],
  ] as [string, Parameters<typeof startCollector>[0], string][])(
    'that %s costs a command one line',
    async (_, answer, why) => {
      const collector = await startCollector(answer);
      const { code, stdout, stderr } = await cli(['run', '--json'], env(sendingTo(collector)));
      expect(code).toBe(0);
      expect((JSON.parse(stdout) as Report).outcome).toBe('completed');
      expect(stderr).toBe(`stalesweep: not all traces could be sent: ${why}\n`);
    },
  );

  test('that is back is told of once', async () => {
    let isAway = true;
    const collector = await startCollector((response) => {
      if (isAway) response.writeHead(400).end();
      else response.end('{}');
    });
    const worker = await startWorker(env(sendingTo(collector)));
    const run = async () =>
      await (await queue.runs.add('cleanup', { target: 'default' })).waitUntilFinished(queue.events, MOST_WAIT_MS);
    await run();
    await worker.says('traces: lost');
    isAway = false;
    await run();
    await worker.says('traces: back');
    expect(await worker.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(worker.stderr().match(/traces: /g)).toHaveLength(2);
  });
});
