/** What pages show while the queue's Redis stands still. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let [redis, queue]: TestRedis[] = [];
let dashboard: TestDashboard;
let pid: number;
beforeAll(async () => {
  [redis, queue] = await Promise.all([startRedis(), startRedis()]);
  pid = Number(/^process_id:(\d+)/m.exec(await queue.redis.info('server'))?.[1]);
  dashboard = await startDashboard({ REDIS_URL: redis.url, QUEUE_REDIS_URL: queue.url });
});
afterAll(async () => {
  await dashboard?.close();
  await Promise.all([redis?.stop(), queue?.stop()]);
});

async function pageAt(path: string) {
  const answer = await dashboard.ask(path, { headers: { accept: 'text/html' } });
  return [answer.status, await answer.text()] as const;
}
async function overview(): Promise<string> {
  return (await pageAt('/'))[1];
}

test('a frozen queue is told of on every page, and nothing is offered that could not be done', async () => {
  await expect.poll(overview).toContain('queue answers');
  expect(await overview()).toMatch(/<button type="submit"[^>]*>Dry run now/);
  expect(await overview()).not.toMatch(/ disabled/);
  expect((await pageAt('/queues'))[0]).toBe(200);
  process.kill(pid, 'SIGSTOP');
  try {
    for (const path of ['/queues', '/queues/queue/cleanup?status=failed']) {
      const [status, html] = await pageAt(path);
      expect([status, html]).toEqual([503, expect.stringContaining('The queue does not answer')]);
      // The way back leads to where it was asked for.
      expect(html).toContain(`href="${path}"`);
    }
    const data = await dashboard.ask('/queues/api/queues');
    expect([data.status, await data.json()]).toEqual([
      503,
      { error: expect.stringContaining('the queue does not answer') },
    ]);
    await expect.poll(overview, { interval: 500 }).toContain('queue does not answer');
    const html = await overview();
    expect(html).toMatch(/<button type="submit"[^>]* disabled[^>]*>Dry run now/);
    expect(html).toMatch(/<a class="button main" aria-disabled="true">Run now/);
    const asking = (await pageAt('/ask?target=default&kind=run'))[1];
    expect(asking).not.toMatch(/<button type="submit"(?![^>]* disabled)/);
    expect(asking).toContain('nothing can be asked for until it does');
    expect((await pageAt('/runs'))[0]).toBe(503);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await expect.poll(overview).toContain('queue answers');
  expect(await overview()).not.toMatch(/ disabled/);
  expect((await pageAt('/queues'))[0]).toBe(200);
});
