import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, startDashboard, type TestDashboard, WITH_CREDENTIALS, USER, PASSWORD } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let open: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  open = await startDashboard({ REDIS_URL: redis.url });
});
afterAll(async () => {
  await open?.close();
  await redis?.stop();
});

const ADD = '/queues/api/queues/cleanup/add';
const job = { name: 'cleanup', data: { target: 'default', dryRun: true }, options: {} };
async function errorOf(response: Response) {
  return ((await response.json()) as { error: string }).error;
}

describe('routes', () => {
  it('has its own page at / and Bull Board beneath it', async () => {
    const response = await open.ask('/');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<title>default · stalesweep</title>');
    const page = await open.ask('/queues');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<title>stalesweep</title>');
  });

  it('allows its own pages no script, style or form but their own', async () => {
    const { headers } = await open.ask('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy.split(';').toSorted()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    // A form of a page without a referrer would come from nowhere.
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  it('answers an unknown path with one sentence', async () => {
    const response = await open.ask('/nowhere');
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toBe('there is nothing at /nowhere');
  });

  it('answers a body that is no JSON with one sentence and no stack', async () => {
    const response = await open.send('POST', ADD, '{"name":');
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('JSON');
    expect(text).not.toMatch(/\n|node_modules| at /);
  });

  it('names neither a server nor an outside host, and lets a page load nothing from elsewhere', async () => {
    const response = await open.ask('/queues');
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('strict-transport-security')).toBeNull();
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;font-src 'self';" +
        "connect-src 'self';base-uri 'self';form-action 'none';frame-ancestors 'none'",
    );
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(await response.text()).not.toMatch(/https?:\/\//);
  });

  it('gives a worker only metrics and health', async () => {
    const { createMonitor } = await import('../../src/dashboard/app.ts');
    const monitor = await startDashboard(
      { REDIS_URL: redis.url, STALESWEEP_HOST: '0.0.0.0' },
      { create: createMonitor },
    );
    try {
      expect((await monitor.ask('/metrics')).status).toBe(200);
      expect((await monitor.ask('/readyz')).status).toBe(200);
      expect((await monitor.ask('/queues')).status).toBe(404);
    } finally {
      await monitor.close();
    }
  });
});

describe('requests that change something', () => {
  it('come from the own origin or from no browser at all', async () => {
    const same = await open.send('POST', ADD, job, { origin: open.url });
    expect(same.status).toBe(200);
    expect((await open.send('POST', ADD, job)).status).toBe(200);
    expect((await open.send('POST', ADD, job, { origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await open.send('POST', ADD, job, { origin: 'null' })).status).toBe(403);
    const otherPort = await open.send('PUT', '/queues/api/queues/pause', {}, { origin: 'http://127.0.0.1:1' });
    expect(otherPort.status).toBe(403);
    expect(await errorOf(otherPort)).toMatch(/another origin/);
  });

  // fetch() does not let a program set this header: a browser does.
  const withSite = (site: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'sec-fetch-site': site };
      const request = httpRequest(`${open.url}/queues/api/queues/pause`, { method: 'PUT', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject).end('{}');
    });

  it('are refused when the browser says that another site sent them', async () => {
    expect(await withSite('cross-site')).toBe(403);
    expect(await withSite('same-site')).toBe(403);
    expect(await open.queues.runs.isPaused()).toBe(false);
    expect(await withSite('same-origin')).toBe(200);
    expect(await open.queues.runs.isPaused()).toBe(true);
    expect((await open.send('PUT', '/queues/api/queues/resume', {})).status).toBe(200);
  });

  it('may be forms of our own pages, where the browser says that they are', async () => {
    const form = async (headers: Record<string, string>) => {
      const body = new URLSearchParams({ target: 'default', kind: 'dry' });
      return await open.ask('/run', { method: 'POST', body, headers });
    };
    await open.queues.runs.obliterate({ force: true });
    const asked = await form({ origin: open.url });
    expect(asked.status).toBe(303);
    expect(asked.headers.get('location')).toMatch(/^\/\?target=default&done=\w+&run=\d+$/);
    expect((await form({ origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await form({ origin: 'null' })).status).toBe(403);
    expect((await form({})).status).toBe(415);
    const [job, ...others] = await open.queues.runs.getJobs();
    expect(job?.data).toMatchObject({ target: 'default', dryRun: true, trigger: 'manual' });
    expect(others).toEqual([]);
    await job?.remove();
  });

  it('carry JSON: a form of another page can send nothing else', async () => {
    const asText = await open.send('POST', ADD, job, { 'content-type': 'text/plain' });
    expect(asText.status).toBe(415);
    expect(await errorOf(asText)).toContain('application/json');
    expect((await open.ask(ADD, { method: 'POST' })).status).toBe(415);
  });
});

describe('credentials', () => {
  it('are asked for everywhere except by probes', async () => {
    const closed = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS });
    try {
      for (const path of ['/', '/queues', '/queues/api/queues', '/metrics', '/nowhere']) {
        const response = await closed.ask(path);
        expect(response.status, path).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="stalesweep"/);
      }
      expect((await closed.send('POST', ADD, job)).status).toBe(401);
      expect((await closed.ask('/healthz')).status).toBe(200);
      expect((await closed.ask('/readyz')).status).toBe(200);
      expect((await closed.ask('/queues', { headers: basic(USER, PASSWORD) })).status).toBe(200);
      for (const wrong of [
        basic(USER, 'wrong'),
        basic('wrong', PASSWORD),
        basic('', ''),
        { authorization: 'Bearer x' },
      ]) {
        expect((await closed.ask('/queues', { headers: wrong })).status).toBe(401);
      }
    } finally {
      await closed.close();
    }
  });

  it('are noted with the runs that are asked for by them', async () => {
    const closed = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS });
    const { runs } = closed.queues;
    const body = new URLSearchParams({ target: 'default', kind: 'dry' });
    try {
      for (const ask of [
        async () =>
          await closed.ask('/run', { method: 'POST', body, headers: { ...basic(USER, PASSWORD), origin: closed.url } }),
        async () => await closed.send('POST', ADD, job, basic(USER, PASSWORD)),
      ]) {
        await runs.obliterate({ force: true });
        expect((await ask()).status).toBeLessThan(400);
        expect((await runs.getJobs()).map(({ opts }) => opts)).toMatchObject([{ by: USER }]);
      }
    } finally {
      await runs.obliterate({ force: true });
      await closed.close();
    }
  });

  it('can be guessed 20 times in a quarter of an hour; then each is answered slowly, and the right ones still open', async () => {
    const closed = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS });
    // Whoever guesses may claim to be somebody else each time.
    let claim = 0;
    const statusWith = async (password: string) => {
      const headers = {
        ...basic(USER, password),
        'x-forwarded-for': `10.0.0.${claim++}`,
        forwarded: `for=10.0.1.${claim}`,
      };
      return (await closed.ask('/metrics', { headers })).status;
    };
    try {
      for (let i = 0; i < 60; i++) expect((await closed.ask('/metrics')).status).toBe(401);
      for (let i = 0; i < 20; i++) {
        expect(await statusWith(`guess ${i}`)).toBe(401);
        if (i < 19) expect(await statusWith(PASSWORD)).toBe(200);
      }
      expect(await statusWith('guess 21')).toBe(429);
      expect(await statusWith(PASSWORD)).toBe(200);
      expect((await closed.ask('/healthz')).status).toBe(200);
    } finally {
      await closed.close();
    }
  });

  it('can be guessed no oftener by guessing many at once', async () => {
    const closed = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS });
    try {
      const guesses = Array.from({ length: 100 }, (_, i) => closed.ask('/queues', { headers: basic(USER, `no ${i}`) }));
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(20);
      expect(statuses.filter((status) => status === 429)).toHaveLength(80);
    } finally {
      await closed.close();
    }
  });

  it('must be set before others can reach the dashboard', async () => {
    const start = (env: Record<string, string>) => startDashboard({ REDIS_URL: redis.url, ...env });
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.com', '127.evil.example']) {
      await expect(start({ STALESWEEP_HOST: host }), host).rejects.toMatchObject({
        code: 'CONFIG',
        message: expect.stringContaining('STALESWEEP_DASHBOARD_PASSWORD'),
      });
    }
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
      await (await start({ STALESWEEP_HOST: host })).close();
    await (await start({ STALESWEEP_HOST: '0.0.0.0', ...WITH_CREDENTIALS })).close();
  });

  it('are never half set', async () => {
    await expect(startDashboard({ REDIS_URL: redis.url, STALESWEEP_DASHBOARD_USER: 'admin' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('STALESWEEP_DASHBOARD_PASSWORD'),
    });
    await expect(startDashboard({ REDIS_URL: redis.url, STALESWEEP_DASHBOARD_PASSWORD: 'x' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('STALESWEEP_DASHBOARD_USER'),
    });
  });
});

describe('serve', () => {
  it('names the setting when the port is in use', async () => {
    const { serve } = await import('../../src/dashboard/app.ts');
    const { default: express } = await import('express');
    const port = Number(new URL(open.url).port);
    await expect(serve(express(), '127.0.0.1', port)).rejects.toMatchObject({
      code: 'LISTEN',
      exitCode: 1,
      message: `STALESWEEP_PORT: port ${port} is in use; choose another`,
    });
    await expect(serve(express(), '203.0.113.1', 0)).rejects.toMatchObject({
      code: 'LISTEN',
      message: expect.stringContaining('STALESWEEP_HOST'),
    });
  });
});
