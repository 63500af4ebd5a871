import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const SECRET = 'hunter2secret';
let queue: TestRedis;
beforeAll(async () => {
  queue = await startRedis();
});
afterAll(() => queue?.stop());

async function withTarget(url: string, look: (dashboard: TestDashboard) => Promise<void>) {
  const dashboard = await startDashboard({ REDIS_URL: url, QUEUE_REDIS_URL: queue.url });
  try {
    await look(dashboard);
  } finally {
    await dashboard.close();
  }
}

async function startProtected(): Promise<TestRedis> {
  const server = await startRedis();
  await server.redis.config('SET', 'requirepass', SECRET);
  return server;
}

async function readyz(dashboard: TestDashboard) {
  const response = await dashboard.ask('/readyz');
  return { code: response.status, ...((await response.json()) as { status: string; reason?: string }) };
}

it('is ready when the queue and every target answer', () =>
  withTarget(queue.url, async (dashboard) => {
    expect(await readyz(dashboard)).toMatchObject({ code: 200, status: 'ok' });
  }));

it('says which target can no longer be reached, without its password', async () => {
  const target = await startProtected();
  await withTarget(`redis://:${SECRET}@127.0.0.1:${target.port}`, async (dashboard) => {
    expect(await readyz(dashboard)).toMatchObject({ code: 200 });
    await target.stop();
    const down = await readyz(dashboard);
    expect(down).toMatchObject({
      code: 503,
      status: 'unavailable',
      reason: expect.stringMatching(/^target "default": /),
    });
    expect(JSON.stringify(down)).not.toContain(SECRET);
    expect((await dashboard.ask('/healthz')).status).toBe(200);
  });
});

it('says which target was not there in the first place', async () => {
  await withTarget('redis://127.0.0.1:1', async (dashboard) => {
    expect(await readyz(dashboard)).toMatchObject({
      code: 503,
      reason: 'target "default": Redis at redis://127.0.0.1:1 could not be reached: connection refused',
    });
  });
});

it('is not ready while a target asks for a password', async () => {
  const target = await startProtected();
  await withTarget(target.url, async (dashboard) => {
    expect(await readyz(dashboard)).toMatchObject({ code: 503, reason: expect.stringContaining('password') });
  });
  await target.stop();
});

it('is not ready while the queue refuses writes for a failed save, though it still reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stalesweep-'));
  const unsaved = await startRedis(['--save', '3600 1000', '--dir', folder]);
  const dashboard = await startDashboard({ REDIS_URL: queue.url, QUEUE_REDIS_URL: unsaved.url });
  try {
    await rm(folder, { recursive: true });
    const client = unsaved.redis;
    await client.bgsave();
    await expect.poll(() => client.info('persistence')).toContain('rdb_last_bgsave_status:err');
    expect(await readyz(dashboard)).toMatchObject({
      code: 503,
      reason:
        "the queue: the queue's Redis refuses writes since its last background save failed (MISCONF); see Redis' log, and free disk space or memory",
    });
  } finally {
    await dashboard.close();
    await unsaved.stop();
  }
});

const HANGS_MS = 6_000;

it('answers while a Redis hangs, leaves it out of the metrics, and is ready again after that', async () => {
  const target = await startRedis();
  await withTarget(target.url, async (dashboard) => {
    expect(await (await dashboard.ask('/metrics')).text()).toMatch(
      /stalesweep_redis_used_memory_bytes\{target="default"\} \d+/,
    );
    await target.redis.call('CLIENT', 'PAUSE', `${HANGS_MS}`, 'ALL');
    const startedAt = performance.now();
    const [ready, metrics] = await Promise.all([readyz(dashboard), dashboard.ask('/metrics')]);
    expect(performance.now() - startedAt).toBeLessThan(HANGS_MS);
    expect(ready).toMatchObject({ code: 503, reason: 'target "default": no answer within 2 seconds' });
    expect(metrics.status).toBe(200);
    const text = await metrics.text();
    expect(text).not.toMatch(/stalesweep_redis_used_memory_bytes\{/);
    expect(text).toMatch(/stalesweep_queue_jobs\{queue="cleanup",state="waiting"\} 0/);
    await expect.poll(async () => (await readyz(dashboard)).code).toBe(200);
  });
  await target.stop();
});

it('says on the pages of runs that the queue does not answer, within seconds, and shows them once it does', () =>
  withTarget(queue.url, async (dashboard) => {
    await queue.redis.call('CLIENT', 'PAUSE', `${HANGS_MS}`, 'ALL');
    const startedAt = performance.now();
    const pages = await Promise.all(['/runs', '/runs/1', '/runs/1/restore'].map((path) => dashboard.ask(path)));
    expect(performance.now() - startedAt).toBeLessThan(HANGS_MS);
    expect(pages.map(({ status }) => status)).toEqual([503, 503, 503]);
    for (const page of pages) {
      expect(await page.text()).toContain('The queue does not answer: no answer within 2 seconds.');
    }
    await expect.poll(async () => (await dashboard.ask('/runs')).status).toBe(200);
  }));
