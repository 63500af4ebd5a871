/// <reference lib="dom" />
import type { Browser, Page } from 'playwright-core';
import { complaintsOf, launchBrowser } from '../support/browser.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePayload } from '../../src/queue/runs/payload.ts';
import { declareSchedules } from '../../src/queue/schedules/schedules.ts';
import { PASSWORD, startDashboard, type TestDashboard, USER, WITH_CREDENTIALS } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const BROWSER = { timeout: 60_000 };

let redis: TestRedis;
let browser: Browser;
beforeAll(async () => {
  redis = await startRedis();
  browser = await launchBrowser();
}, BROWSER.timeout);
afterAll(async () => {
  await browser?.close();
  await redis?.stop();
});

interface Visit {
  readonly dashboard: TestDashboard;
  readonly page: Page;
  /** Whatever the browser complained about: errors, warnings, violations of the policy. */
  readonly complaints: readonly string[];
  readonly hosts: ReadonlySet<string>;
}

async function visit(yaml: string | undefined, look: (visit: Visit) => Promise<void>): Promise<void> {
  const dashboard = await startDashboard({ REDIS_URL: redis.url, ...WITH_CREDENTIALS }, { yaml });
  const context = await browser.newContext({ httpCredentials: { username: USER, password: PASSWORD } });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  const hosts = new Set<string>();
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  try {
    await dashboard.queues.runs.obliterate({ force: true });
    await declareSchedules(dashboard.queues, dashboard.config.targets);
    await look({ dashboard, page, complaints, hosts });
  } finally {
    await context.close();
    await dashboard.close();
  }
}

/** Opens "Add job"; resolves to the data it is filled in with. */
async function openAddJob({ dashboard, page }: Visit): Promise<string> {
  await page.goto(`${dashboard.url}/queues/queue/cleanup`);
  await page.locator('[aria-haspopup=menu]').first().click();
  await page
    .getByText(/add job/i)
    .first()
    .click();
  const editor = page.locator('[role=dialog] .cm-content').first();
  await editor.filter({ hasText: 'target' }).waitFor();
  return (await editor.textContent()) ?? '';
}

/** Sends what stands in "Add job"; resolves to the answer. */
async function submit(page: Page) {
  const answered = page.waitForResponse((response) => response.url().endsWith('/add'));
  await page.locator('[role=dialog] button[type=submit]').click();
  return await answered;
}

it('shows both queues without a complaint of the browser and without asking any other host', BROWSER, () =>
  visit(undefined, async ({ dashboard, page, complaints, hosts }) => {
    await page.goto(`${dashboard.url}/queues`);
    await page.getByText('cleanup runs').first().waitFor();
    await page.getByText('schedule ticks').first().waitFor();
    await page.goto(`${dashboard.url}/queues/job-schedulers`);
    await page.getByText('cleanup:default').first().waitFor();
    expect([...hosts]).toEqual([new URL(dashboard.url).host]);
    expect(complaints).toEqual([]);
  }),
);

it('leads back to the overview by the first key on each page of Bull Board', BROWSER, () =>
  visit(undefined, async ({ dashboard, page }) => {
    for (const path of ['/queues', '/queues/queue/cleanup']) {
      await page.goto(`${dashboard.url}${path}`);
      await page.getByText('cleanup runs').first().waitFor();
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('← Overview');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${dashboard.url}/`);
    }
  }),
);

it('offers a valid run to add, and adds it as every other run', BROWSER, () =>
  visit(undefined, async (visited) => {
    const { dashboard, page, complaints } = visited;
    const offered = JSON.parse(await openAddJob(visited));
    expect(offered).toEqual({ target: 'default', dryRun: true, staleAfter: '10m', trigger: 'manual', force: false });
    expect((await submit(page)).status()).toBe(200);
    await page.getByText('dedup default').waitFor();

    const [job, ...others] = await dashboard.queues.runs.getJobs();
    expect(others).toEqual([]);
    expect(job?.name).toBe('cleanup');
    expect(parsePayload(job?.data, dashboard.config.targets).staleAfterSeconds).toBe(600);
    expect(job?.opts).toMatchObject({
      attempts: 3,
      deduplication: { id: 'default' },
      removeOnComplete: { count: 1000 },
    });
    expect(complaints).toEqual([]);
  }),
);

/** What a queue's page offers: the entries of its menu, and the buttons over its delayed jobs. */
async function offers({ dashboard, page }: Visit): Promise<string[]> {
  await dashboard.queues.runs.add('cleanup', { target: 'default' }, { delay: 3_600_000 });
  await page.goto(`${dashboard.url}/queues/queue/cleanup?status=delayed`);
  await page.getByText('#1', { exact: true }).first().waitFor();
  const menu = page.locator('[aria-haspopup=menu]').first();
  if (await menu.isVisible()) await menu.click();
  const known = /^(Add job|Pause|Empty|Obliterate|Promote all|Clean all)$/;
  const shown = await page.getByText(known).filter({ visible: true }).allTextContents();
  return shown.sort();
}

it.each([
  [undefined, ['Add job', 'Pause', 'Promote all']],
  ['dangerousActions: true', ['Add job', 'Clean all', 'Empty', 'Obliterate', 'Pause', 'Promote all']],
  ['readOnly: true\ndangerousActions: true', []],
])('offers only what is allowed, with the settings %j', BROWSER, (yaml, expected) =>
  visit(yaml, async (visited) => {
    expect(await offers(visited)).toEqual(expected);
    expect(visited.complaints).toEqual([]);
  }),
);

it("never offers one target's staleAfter for another", BROWSER, () =>
  visit('targets: { default: {}, slow: { url: "redis://127.0.0.1:1", staleAfter: 30m } }', async (visited) => {
    const offered = JSON.parse(await openAddJob(visited));
    expect(offered).toEqual({ target: 'default', dryRun: true, trigger: 'manual', force: false });
    expect((await submit(visited.page)).status()).toBe(200);
  }),
);

it('shows the sentence that says why a run was not added', BROWSER, () =>
  visit(undefined, async (visited) => {
    const { dashboard, page } = visited;
    await openAddJob(visited);
    await page.locator('[role=dialog] .cm-content').first().fill('{"target":"default","staleAfter":"5s"}');
    expect((await submit(page)).status()).toBe(400);
    await page.getByText('job data: "staleAfter" of 5s is below the minStaleAfter').waitFor();
    expect(await dashboard.queues.runs.getJobs()).toEqual([]);
  }),
);

it(
  'says on a page that is open when the queue stops answering, offers nothing there, and goes on with it',
  BROWSER,
  () =>
    visit(undefined, async ({ dashboard, page }) => {
      const pid = Number(/^process_id:(\d+)/m.exec(await redis.redis.info('server'))?.[1]);
      await page.goto(`${dashboard.url}/queues/queue/cleanup`);
      await page.getByText('cleanup runs').first().waitFor();
      const bar = page.getByRole('alert').filter({ hasText: 'The queue does not answer' });
      const board = page.locator('#root');
      process.kill(pid, 'SIGSTOP');
      try {
        await bar.waitFor();
        expect(await board.getAttribute('inert')).toBe('');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await bar.waitFor({ state: 'detached' });
      expect(await board.getAttribute('inert')).toBeNull();
    }),
);
