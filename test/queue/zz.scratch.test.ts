import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.ts';
import { readQueuedRuns } from '../../src/queue/runs/history.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';
import { settle } from '../support/world.ts';
let server: TestRedis;
let target: TestRedis;
let d: TestDashboard;
let foreign: Queue;
const C = '/queues/api/queues/cleanup';
beforeAll(async () => {
  [server, target] = await Promise.all([startRedis(), startRedis()]);
  d = await startDashboard({ REDIS_URL: target.url, QUEUE_REDIS_URL: server.url, STALESWEEP_CRON: '0 0 1 1 *' });
  foreign = new Queue('cleanup', { connection: { host: '127.0.0.1', port: server.port }, prefix: '{stalesweep}' });
});
afterAll(async () => {
  await foreign.close();
  await d.close();
  await Promise.all([server.stop(), target.stop()]);
});
const rec = async () =>
  JSON.stringify(
    (await new Ledger(server.redis, '{stalesweep}', d.config.process.ledger).history({ limit: 100 })).runs,
  );
const done = async () => {
  for (let i = 0; i < 100 && (await foreign.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized')) > 0; i++)
    await new Promise((r) => setTimeout(r, 100));
};
test('x', async () => {
  await work(d.config);
  for (let i = 0; i < 6; i++) {
    await settle(target.redis, `c${i}`, 1800);
    await foreign.add('cleanup', { target: 'default', ...(i % 3 === 2 ? { staleAfter: '1s' } : {}) });
    await done();
  }
  const before = await rec();
  const say = async (what: string, f: () => Promise<unknown>) => {
    let out;
    try {
      out = await f();
    } catch (e) {
      out = `threw ${(e as Error).message.slice(0, 150)}`;
    }
    await done();
    const now = await rec();
    const extra = JSON.parse(now).length - JSON.parse(before).length;
    const same = JSON.stringify(JSON.parse(now).slice(extra)) === before;
    console.log(
      '@@',
      what,
      '->',
      String(out).slice(0, 220),
      same ? 'record same' : 'RECORD CHANGED',
      `+${extra} runs`,
      JSON.stringify((await readQueuedRuns(d.queues.runs, 100)).map((r) => `${r.run}:${r.state}`)),
    );
  };
  const http =
    (m: string, p: string, b: unknown = {}) =>
    async () => {
      const a = await d.send(m, `${C}${p}`, b);
      return `${a.status} ${await a.text()}`;
    };
  const job = async (id: string) => (await foreign.getJob(id))!;
  await say('update data', http('PATCH', '/1/update-data', { jobData: { target: 'default', dryRun: true } }));
  await say('update opts', http('PATCH', '/1/update-options', { options: { attempts: 9 } }));
  await say('job.updateData', async () => (await job('1')).updateData({ target: 'default', dryRun: true }));
  await say('job.updateProgress', async () => (await job('1')).updateProgress({ phase: 'x' }));
  await say('job.log', async () => (await job('1')).log('hello'));
  await say('job.clearLogs', async () => (await job('1')).clearLogs());
  await say('moveToFailed', async () => (await job('1')).moveToFailed(new Error('me'), '0', true));
  await say('moveToCompleted', async () => (await job('3')).moveToCompleted({ outcome: 'lie' }, '0', false));
  await say('hset returnvalue', async () =>
    server.redis.hset('{stalesweep}:cleanup:2', 'returnvalue', '{"outcome":"x"}'),
  );
  await say('hset failedReason', async () => server.redis.hset('{stalesweep}:cleanup:3', 'failedReason', 'lie'));
  await say('history', async () =>
    JSON.stringify(
      (await readQueuedRuns(d.queues.runs, 100)).map((r) => [
        r.run,
        r.state,
        r.failedReason,
        r.report?.outcome,
        r.report?.coordinators?.swept,
      ]),
    ).slice(0, 900),
  );
  await say('pause', http('PUT', '/pause'));
  await say('readyz', async () => (await d.ask('/readyz')).text());
  await say('metrics', async () =>
    (await (await d.ask('/metrics')).text())
      .split('\n')
      .filter((l) => /^stalesweep_(queue_paused|workers)/.test(l))
      .join(' '),
  );
  await say('resume', http('PUT', '/resume'));
  await say('obliterate', http('PUT', '/obliterate'));
  await say('empty', http('PUT', '/empty'));
  await say('job.retry 1', async () => (await job('1')).retry('completed'));
  await say('foreign pause+add+resume', async () => {
    await foreign.pause();
    await foreign.add('cleanup', { target: 'default' });
    await foreign.resume();
  });
  await say('global rate limit', async () => {
    await foreign.rateLimit(60000);
    return (await d.ask('/readyz')).text();
  });
  await server.redis.del('{stalesweep}:cleanup:limiter');
  await say('concurrency 0', async () => {
    await foreign.setGlobalConcurrency(0 as number);
    return (await d.ask('/readyz')).text();
  });
  await foreign.removeGlobalConcurrency();
  await say('clean all', async () => foreign.clean(0, 1000, 'completed'));
  await say('obliterate by program', async () => foreign.obliterate({ force: true }));
  await say('history after', async () => (await rec()).length);
  await say('new run', async () => {
    await settle(target.redis, 'n', 1800);
    const j = await foreign.add('cleanup', { target: 'default' });
    await done();
    return `${j.id} ${JSON.stringify((await job(j.id!))?.returnvalue)?.slice(0, 150)}`;
  });
  expect(1).toBe(1);
}, 120_000);
