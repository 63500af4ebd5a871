import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, PASSWORD, startDashboard, type TestDashboard, USER, WITH_CREDENTIALS } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

// The dashboard behind a proxy: this machine is the proxy, and says whom it asks for.

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

async function withDashboard(env: Record<string, string>, look: (dashboard: TestDashboard) => Promise<void>) {
  const dashboard = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS, ...env });
  try {
    await look(dashboard);
  } finally {
    await dashboard.close();
  }
}
const TRUSTED = { STALESWEEP_TRUST_PROXY: 'loopback' };
const MOST_FAILURES = 20;

async function statusOf({ ask }: TestDashboard, headers: Record<string, string>) {
  return (await ask('/queues', { headers })).status;
}
async function guess(dashboard: TestDashboard, times: number, headers: Record<string, string> = {}, user = USER) {
  for (let i = 0; i < times; i++) await statusOf(dashboard, { ...basic(user, `guess ${i}`), ...headers });
}

// After twenty, a wrong one is answered by 429, however soon it is looked at: who gets 401 has not been slowed down.
describe('wrong passwords', () => {
  it('behind a trusted proxy slow down only the address that they came from', () =>
    withDashboard(TRUSTED, async (dashboard) => {
      const from = (address: string) => ({ 'x-forwarded-for': address });
      await guess(dashboard, MOST_FAILURES, from('10.0.0.1'));
      expect(await statusOf(dashboard, { ...basic(USER, 'no'), ...from('10.0.0.1') })).toBe(429);
      // What a client claims stands before what the proxy adds.
      expect(await statusOf(dashboard, { ...basic(USER, 'no'), ...from('10.0.0.3, 10.0.0.1') })).toBe(429);
      expect(await statusOf(dashboard, { ...basic(USER, 'no'), ...from('10.0.0.2') })).toBe(401);
      expect(await statusOf(dashboard, { ...basic(USER, PASSWORD), ...from('10.0.0.2') })).toBe(200);
      expect(await statusOf(dashboard, { ...basic(USER, PASSWORD), ...from('10.0.0.1') })).toBe(200);
    }));

  it('with the names of other users slow nobody down', () =>
    withDashboard({}, async (dashboard) => {
      await guess(dashboard, MOST_FAILURES, {}, 'somebody else');
      expect(await statusOf(dashboard, basic('somebody else', 'x'))).toBe(429);
      expect(await statusOf(dashboard, basic(USER, 'no'))).toBe(401);
      expect(await statusOf(dashboard, basic(USER, PASSWORD))).toBe(200);
    }));

  it('of others behind the same proxy are not counted to a browser that once had the right one', () =>
    withDashboard({}, async (dashboard) => {
      const first = await dashboard.ask('/queues', { headers: basic(USER, PASSWORD) });
      const [cookie = ''] = first.headers.getSetCookie();
      expect(cookie).toMatch(/^stalesweep=[\w.-]+; Max-Age=\d+; Path=\/; .*HttpOnly; SameSite=Strict$/);
      const known = { cookie: `other=1; ${cookie.split(';')[0]}` };
      await guess(dashboard, MOST_FAILURES);
      expect(await statusOf(dashboard, basic(USER, 'no'))).toBe(429);
      expect((await dashboard.ask('/queues', { headers: known })).status).toBe(401);
      // It has its own twenty guesses, and no more.
      for (let i = 0; i < MOST_FAILURES; i++) {
        expect(await statusOf(dashboard, { ...basic(USER, `${i}`), ...known })).toBe(401);
      }
      expect(await statusOf(dashboard, { ...basic(USER, 'no'), ...known })).toBe(429);
    }));

  it('are counted as those of an unknown browser whatever cookie it makes up', () =>
    withDashboard({}, async (dashboard) => {
      await guess(dashboard, MOST_FAILURES);
      const part = (length: number) =>
        fc
          .array(fc.constantFrom(...'abcXYZ019-_'), { minLength: length, maxLength: length })
          .map((all) => all.join(''));
      const forged = fc.oneof(
        fc.tuple(part(22), part(43)).map((parts) => parts.join('.')),
        part(12),
      );
      const asked = fc
        .sample(forged, 20)
        .map(async (value) => await statusOf(dashboard, { ...basic(USER, 'no'), cookie: `stalesweep=${value}` }));
      expect(new Set(await Promise.all(asked))).toEqual(new Set([429]));
    }));
});

describe('a path under which a proxy shows the dashboard', () => {
  const BASE = '/tools/stalesweep';
  it.each([
    ['that the proxy takes off', ''],
    ['that the proxy leaves on', BASE],
  ])('%s', (_, left) =>
    withDashboard({ STALESWEEP_BASE_PATH: `${BASE}/` }, async (dashboard) => {
      const headers = basic(USER, PASSWORD);
      const home = await dashboard.ask(`${left}/`, { headers });
      expect(home.status).toBe(200);
      const own = await home.text();
      const links = [...own.matchAll(/(?:href|src|action|data-live)="([^#"]+)"/g)].map(([, to = '']) => to);
      expect(links.filter((to) => !to.startsWith(`${BASE}/`))).toEqual([]);
      const asset = links.find((to) => to.endsWith('/page.js')) ?? '';
      expect((await dashboard.ask(`${left}${asset.slice(BASE.length)}`, { headers })).status).toBe(200);
      const page = await dashboard.ask(`${left}/queues`, { headers });
      const html = await page.text();
      expect(html).toContain(`<base href="${BASE}/queues/"`);
      // A browser asks for what the page names beside that base.
      const script = /src="(static\/[^"]+)"/.exec(html)?.[1];
      expect((await dashboard.ask(`${left}/queues/${script}`, { headers })).status).toBe(200);
      expect((await dashboard.ask(`${left}/queues/api/queues`, { headers })).status).toBe(200);
      expect((await dashboard.ask(`${left}/readyz`)).status).toBe(200);
      expect((await dashboard.ask(`${BASE}x/readyz`, { headers })).status).toBe(404);
    }),
  );

  it('changes nothing where requests of the proxy come from: its host counts as the own origin only when it is trusted', async () => {
    const request = async (dashboard: TestDashboard) => {
      const headers = { ...basic(USER, PASSWORD), origin: 'https://ops.example', 'x-forwarded-host': 'ops.example' };
      return (await dashboard.send('PUT', '/queues/api/queues/resume', {}, headers)).status;
    };
    await withDashboard(TRUSTED, async (dashboard) => expect(await request(dashboard)).toBe(200));
    await withDashboard({}, async (dashboard) => expect(await request(dashboard)).toBe(403));
  });
});

describe('/readyz', () => {
  const DOWN = { REDIS_URL: 'redis://127.0.0.1:1' };
  const reasonOf = async (response: Response) => ((await response.json()) as { reason: string }).reason;

  it('names addresses to those who have the password alone (O19)', () =>
    withDashboard({ ...DOWN, QUEUE_REDIS_URL: redis.url, STALESWEEP_HOST: '0.0.0.0' }, async (dashboard) => {
      const stranger = await dashboard.ask('/readyz');
      expect(stranger.status).toBe(503);
      expect(await reasonOf(stranger)).toBe('target "default": not ready');
      const wrong = await dashboard.ask('/readyz', { headers: basic(USER, 'no') });
      expect([wrong.status, await reasonOf(wrong)]).toEqual([503, 'target "default": not ready']);
      const right = await dashboard.ask('/readyz', { headers: basic(USER, PASSWORD) });
      expect(await reasonOf(right)).toContain('redis://127.0.0.1:1 could not be reached: connection refused');
    }));

  it('of a worker off loopback names none where there is no password', async () => {
    const { createMonitor } = await import('../../src/dashboard/app.ts');
    const env = { ...DOWN, QUEUE_REDIS_URL: redis.url, STALESWEEP_HOST: '0.0.0.0' };
    const monitor = await startDashboard(env, { create: createMonitor });
    try {
      expect(await reasonOf(await monitor.ask('/readyz'))).toBe('target "default": not ready');
    } finally {
      await monitor.close();
    }
  });

  it('is no way around the limit on guesses', () =>
    withDashboard({ ...DOWN, QUEUE_REDIS_URL: redis.url }, async (dashboard) => {
      for (let i = 0; i < MOST_FAILURES; i++) await dashboard.ask('/readyz', { headers: basic(USER, `no ${i}`) });
      expect(await statusOf(dashboard, basic(USER, 'no'))).toBe(429);
    }));
});
