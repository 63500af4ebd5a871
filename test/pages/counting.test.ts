/// <reference lib="dom" />
/** The page that asks before it gives back, where what lies in the trash takes a while to count. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { complaintsOf, launchBrowser } from '../support/browser.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { openSlowWay, type SlowWay } from '../support/slowWay.ts';
import { settle, STALE } from '../support/world.ts';

/** Counting takes several of them. */
const ROUND_TRIP_MS = 50;
const KEPT = { trash: '1h' };
const PATH = '/runs/taken/restore?target=kept';

let redis: TestRedis;
let way: SlowWay;
let dashboard: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  way = await openSlowWay(redis.port, ROUND_TRIP_MS, 0);
  for (const id of ['c1', 'c2']) await settle(redis.redis, id, STALE + 60);
  await sweepRecorded(redis.redis, redis.url, { run: 'taken', target: 'kept', settings: KEPT });
  const targets = { kept: { url: way.url, ...KEPT } };
  dashboard = await startDashboard({}, { yaml: JSON.stringify({ queue: { url: redis.url }, targets }) });
  // To connect takes several of them, too, and the target must answer in time.
  const isThere = async () => expect((await dashboard.ask(PATH)).status).toBe(200);
  await vi.waitFor(isThere, { timeout: 20_000 });
}, 60_000);
afterAll(async () => {
  await dashboard?.close();
  await way?.close();
  await redis?.stop();
});

async function read(path: string): Promise<string> {
  const answer = await dashboard.ask(path, { headers: { accept: 'text/html' } });
  expect(answer.status).toBe(200);
  return await answer.text();
}

test('the page is there before its numbers are, offers nothing yet, and leads on without a script', async () => {
  const page = await read(PATH);
  expect(page).toContain('Counting what can come back to target kept');
  expect(page).toContain('The run swept 2 coordinators and removed 14 things');
  expect(page).toMatch(/<button[^>]* disabled[^>]*>Give back</);
  expect(page).not.toContain('<form');
  const [, on = ''] = /<noscript><meta http-equiv="refresh" content="0; url=([^"]+)"/.exec(page) ?? [];
  const waited = await read(on.replaceAll('&amp;', '&'));
  expect(waited).toContain('12 keys lie in the trash');
  expect(waited).toContain('<form method="post"');
  expect(waited).not.toContain('noscript');
});

test('the numbers come into the page, and what can be asked for then can be pressed', { timeout: 60_000 }, async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${dashboard.url}${PATH}`);
    const give = page.getByRole('button', { name: 'Give back' });
    expect(await give.isDisabled()).toBe(true);
    await page.getByText('12 keys lie in the trash').waitFor();
    expect(await page.locator('[data-fill]').count()).toBe(0);
    await page.getByLabel(/the 2 heartbeats/).check();
    await give.click();
    await page.getByText('14 keys came back.').waitFor();
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
