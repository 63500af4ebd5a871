import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { declareSchedules } from '../../src/queue/schedules/schedules.ts';
import { basic, PASSWORD, startDashboard, type TestDashboard, USER, WITH_CREDENTIALS } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let plain: TestDashboard;
let dangerous: TestDashboard;
let readOnly: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  const env = { REDIS_URL: redis.url };
  plain = await startDashboard(env);
  dangerous = await startDashboard({ ...env, STALESWEEP_DANGEROUS_ACTIONS: 'true' });
  readOnly = await startDashboard({ ...env, STALESWEEP_READ_ONLY: 'true', STALESWEEP_DANGEROUS_ACTIONS: 'true' });
});
beforeEach(async () => {
  await redis.redis.flushall();
  await declareSchedules(plain.queues, plain.config.targets);
});
afterAll(async () => {
  for (const dashboard of [plain, dangerous, readOnly]) await dashboard?.close();
  await redis?.stop();
});

const QUEUES = '/queues/api/queues';
async function sentenceIn(response: Response) {
  return ((await response.json()) as { error: string }).error;
}
async function add({ send }: TestDashboard): Promise<number> {
  return (await send('POST', `${QUEUES}/cleanup/add`, { name: 'x', data: { target: 'default' }, options: {} })).status;
}

/** Everything in the queue's Redis, with its content. */
async function everything(): Promise<Record<string, string>> {
  const keys = (await redis.redis.keys('*')).sort();
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, String(await redis.redis.dumpBuffer(key))])),
  );
}

describe('dangerous actions', () => {
  it('are refused, and change nothing, unless they are switched on', async () => {
    await add(plain);
    await plain.send('PUT', `${QUEUES}/pause`, {});
    const before = await everything();
    for (const queue of ['cleanup', 'schedule']) {
      for (const action of [
        'empty',
        'obliterate',
        'clean/delayed',
        'clean/waiting',
        'clean/wait',
        'clean/prioritized',
      ]) {
        const response = await plain.send('PUT', `${QUEUES}/${queue}/${action}`, { force: true });
        expect(response.status, action).toBe(403);
        expect(await sentenceIn(response)).toMatch(
          /^the queue "\w+" can't be .* here; remove single jobs, or set STALESWEEP_DANGEROUS_ACTIONS$/,
        );
      }
    }
    expect(await everything()).toEqual(before);
  });

  it('leave what is over to be removed by anybody', async () => {
    for (const state of ['completed', 'failed']) {
      expect((await plain.send('PUT', `${QUEUES}/cleanup/clean/${state}`, {})).status).toBe(200);
    }
  });

  it.each(['active', 'paused', 'meta', 'id', 'events', '__proto__', 'latest'])(
    'never are cleaning "%s", which is no state of jobs that can be removed',
    async (state) => {
      for (const dashboard of [plain, dangerous]) {
        const response = await dashboard.send('PUT', `${QUEUES}/cleanup/clean/${state}`, {});
        expect(response.status).toBe(400);
        expect(await sentenceIn(response)).toBe('only completed, failed, waiting and delayed jobs can be removed');
      }
    },
  );

  it.each(['empty', 'clean/waiting', 'obliterate'])('work once they are switched on: %s', async (action) => {
    expect(await add(dangerous)).toBe(200);
    // Cleaning spares what is younger than five seconds.
    await redis.redis.hset('{stalesweep}:cleanup:1', 'timestamp', Date.now() - 60_000);
    await dangerous.send('PUT', `${QUEUES}/pause`, {});
    expect((await dangerous.send('PUT', `${QUEUES}/cleanup/${action}`, { force: true })).status).toBe(200);
    expect(await dangerous.queues.runs.getWaitingCount()).toBe(0);
    // Nobody would ever run a target again whose next run were taken for one in progress.
    expect(await add(dangerous)).toBe(200);
    expect(await dangerous.queues.runs.getWaitingCount()).toBe(1);
  });
});

describe('a read-only dashboard', () => {
  it('shows everything and tells the page to offer nothing', async () => {
    await add(plain);
    expect((await readOnly.ask('/queues')).status).toBe(200);
    expect((await readOnly.ask('/metrics')).status).toBe(200);
    const { queues } = (await (await readOnly.ask(QUEUES)).json()) as { queues: object[] };
    expect(queues).toHaveLength(2);
    for (const queue of queues) expect(queue).toMatchObject({ readOnlyMode: true, allowRetries: false });
  });

  it('refuses every request that would change something, even a dangerous one that is switched on', async () => {
    await add(plain);
    const before = await everything();
    const requests: [string, string][] = [
      ['POST', '/cleanup/add'],
      ['PUT', '/pause'],
      ['PUT', '/cleanup/empty'],
      ['PUT', '/cleanup/obliterate'],
      ['PUT', '/cleanup/clean/completed'],
      ['PUT', '/cleanup/1/clean'],
      ['PATCH', '/cleanup/1/update-data'],
      ['PUT', '/schedule/job-schedulers/cleanup%3Adefault/remove'],
      ['PUT', '/schedule/job-schedulers/cleanup%3Adefault/run'],
      ['DELETE', '/cleanup'],
    ];
    for (const [method, path] of requests) {
      const response = await readOnly.send(method, `${QUEUES}${path}`, {
        data: { target: 'default' },
        jobData: { target: 'default', dryRun: true },
      });
      expect(response.status, path).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      expect(await sentenceIn(response)).toMatch(/read-only/);
    }
    expect(await everything()).toEqual(before);
  });
});

describe('without a password', () => {
  // fetch() does not let a program choose this header: a page's own name decides it in a browser.
  const statusAs = (dashboard: TestDashboard, host: string, path: string, headers = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${dashboard.url}${path}`, { headers: { host, ...headers } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject).end();
    });

  it.each([
    'evil.example',
    'evil.example:3000',
    '192.168.1.5',
    'localhost.evil.example',
    '127.evil.example',
    '[::2]:1',
  ])('the dashboard does not answer as "%s": the name of a page elsewhere may have been led here', async (host) => {
    for (const path of ['/', '/queues', QUEUES, '/metrics', '/readyz', '/healthz']) {
      expect(await statusAs(plain, host, path), path).toBe(421);
    }
  });

  it.each(['127.0.0.1', 'localhost', 'LOCALHOST:3000', '127.0.0.1:80', '[::1]:3000', '127.1.2.3'])(
    'it answers as %s',
    async (host) => {
      expect(await statusAs(plain, host, '/healthz')).toBe(200);
    },
  );

  it('only: with one, a proxy may call it by any name, since no browser has credentials for that name', async () => {
    const closed = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS });
    try {
      expect(await statusAs(closed, 'evil.example', '/queues')).toBe(401);
      expect(await statusAs(closed, 'sweep.example', '/queues', basic(USER, PASSWORD))).toBe(200);
    } finally {
      await closed.close();
    }
  });
});
