/// <reference lib="dom" />
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { complaintsOf, launchBrowser } from '../support/browser.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { ledgerIn, noteRun } from '../support/pastRuns.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const BROWSER = { timeout: 120_000 };

/** Whatever people, or those who wish them ill, call a coordinator. */
const STRANGE = [
  '<script>document.title = "taken"</script>',
  '"><img src=x onerror=alert(1)>',
  'مرحبا-بالعالم',
  '🦆🦆🦆',
  `c${'0123456789'.repeat(50)}`,
  'coordinator-of-a-service-with-a-very-long-name-1',
  'coordinator-of-a-service-with-a-very-long-name-2',
  `${'名前'.repeat(40)}🦆🦆`,
];

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
beforeEach(async () => {
  await redis.redis.flushall();
});

interface Visit {
  readonly dashboard: TestDashboard;
  readonly page: Page;
  /** Whatever the browser complained about: errors, warnings, violations of the policy. */
  readonly complaints: readonly string[];
  readonly hosts: ReadonlySet<string>;
  /** What all answers weighed, in bytes. */
  readonly weight: () => number;
}

interface Setting {
  readonly yaml?: string;
  readonly browser?: BrowserContextOptions;
}

async function visit({ yaml, browser: options }: Setting, look: (visit: Visit) => Promise<void>): Promise<void> {
  const dashboard = await startDashboard({ REDIS_URL: redis.url }, { yaml });
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  const hosts = new Set<string>();
  let weight = 0;
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  page.on('response', (response) => {
    if (response.url().includes('/live')) return;
    void response.body().then(
      (body) => {
        weight += body.length;
      },
      () => {},
    );
  });
  try {
    await look({ dashboard, page, complaints, hosts, weight: () => weight });
  } finally {
    await context.close();
    await dashboard.close();
  }
}

function targetOf({ config }: TestDashboard, name = 'default'): TargetConfig {
  const target = config.targets.get(name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  return target;
}

/** Two more targets, on the same Redis. */
function twoMore(): string {
  return `targets: { calm: { url: "${redis.url}", id: calm }, wild: { url: "${redis.url}", id: wild } }`;
}

/** A past with everything that is shown. */
async function fill(dashboard: TestDashboard, name?: string): Promise<void> {
  const ledger = ledgerIn(redis.redis);
  const target = targetOf(dashboard, name);
  await noteRun(ledger, target, { outcome: 'failed', reason: 'connection refused' });
  const silence = [1_000, 100, 60, 20, 10, 9, 8, 0, 1, 0, STRANGE.length];
  const coordinators = { checked: 1_209 + STRANGE.length, active: 1_208, unreadable: 1 };
  await noteRun(ledger, target, { coordinators, silence, swept: STRANGE });
  const families = target.schema.families.map((family) => ({ family, keys: 1_208, bytes: 240_000 }));
  await ledger.noteLook(target, { complete: true, families });
}

/** Whoever's end is not in sight: ids mostly differ there. */
const CUT = `[...document.querySelectorAll('.line')].flatMap((line) => {
  const range = document.createRange();
  const end = line.lastChild;
  range.setStart(end, Math.max(0, end.length - 4));
  range.setEnd(end, end.length);
  const [at, room] = [range.getBoundingClientRect(), line.getBoundingClientRect()];
  return at.width > 0 && at.left >= room.left - 1 && at.right <= room.right + 1 ? [] : [line.textContent];
})`;

/** What axe finds wrong with a page, a line each. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { axe: inPage } = window as unknown as { axe: typeof axe };
    const { violations } = await inPage.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

it.each([
  ['light', 1280],
  ['dark', 390],
] as const)(
  'is read by everybody, asks nobody else and complains of nothing, %s and %i wide',
  BROWSER,
  (colorScheme, width) =>
    visit({ browser: { colorScheme, viewport: { width, height: 900 } } }, async (visited) => {
      const { dashboard, page, complaints, hosts, weight } = visited;
      await fill(dashboard);
      await page.goto(dashboard.url);
      await page.getByText('1,208').first().waitFor();
      for (const name of STRANGE) expect(await page.getByText(name, { exact: true }).count()).toBeGreaterThan(0);
      expect(await page.evaluate(CUT)).toEqual([]);
      expect(await page.title()).toBe('default · stalesweep');
      for (const summary of await page.locator('summary').all()) {
        await summary.focus();
        await page.keyboard.press('Enter');
      }
      expect(await page.locator('details:not([open])').count()).toBe(0);
      expect(await faults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      expect([...hosts]).toEqual([new URL(dashboard.url).host]);
      expect(complaints).toEqual([]);
      expect(weight()).toBeLessThan(200_000);
      // An hour of the chart opens its runs.
      await page.locator('#hours-table a').click();
      expect(await page.locator('tbody tr').count()).toBe(1);
    }),
);

it('brings numbers up to date, and greys them while nobody tells of new ones', BROWSER, () =>
  visit({}, async ({ dashboard, page, complaints }) => {
    const target = targetOf(dashboard);
    await page.goto(dashboard.url);
    await page.getByText('No run has counted them yet').waitFor();
    await noteRun(ledgerIn(redis.redis), target, { coordinators: { active: 4_321 }, silence: Array(11).fill(1) });
    await page.getByText('4,321').waitFor();
    const table = page.locator('#silence-table');
    await table.locator('summary').focus();
    await page.keyboard.press('Enter');
    await noteRun(ledgerIn(redis.redis), target, { coordinators: { active: 5_432 }, silence: Array(11).fill(1) });
    await page.getByText('5,432').waitFor();
    // What was open stays open, and the focus stays where it was.
    expect(await table.getAttribute('open')).not.toBeNull();
    expect(await page.evaluate(() => document.activeElement?.parentElement?.id)).toBe('silence-table');
    const job = await dashboard.queues.runs.add('cleanup', { target: 'default' });
    await job.updateProgress({ phase: 'sweep', percent: 64, checked: 10, stale: 4, swept: 2, keys: 12 });
    await page.getByText('sweep 64 %').waitFor();
    expect(complaints).toEqual([]);
    await dashboard.close();
    await page.locator('[data-live].late').waitFor();
    await page.getByText('Connection lost').waitFor();
    expect(await page.getByText('5,432').isVisible()).toBe(true);
  }),
);

it('asks with numbers before it asks for a run, and works without its script', BROWSER, () =>
  visit({ browser: { javaScriptEnabled: false } }, async ({ dashboard, page, complaints }) => {
    const { runs } = dashboard.queues;
    await page.goto(`${dashboard.url}/ask?target=default&kind=run`);
    // Nothing is asked for without numbers.
    expect(await page.getByRole('button', { name: 'Run now' }).count()).toBe(0);
    const counted = { stale: 12, active: 30, swept: 0 };
    await noteRun(ledgerIn(redis.redis), targetOf(dashboard), { dryRun: true, coordinators: counted });
    await expect
      .poll(async () => {
        await page.goto(dashboard.url);
        return await page.getByText('Would sweep 12 coordinators').count();
      })
      .toBe(1);
    await page.getByRole('link', { name: 'Run now…' }).click();
    await page.getByText('12 coordinators, with 0 things, would go.').waitFor();
    await page.getByRole('button', { name: 'Run now' }).click();
    await page.getByText('was asked for.').waitFor();
    const [job] = await runs.getJobs();
    expect(job?.data).toMatchObject({ target: 'default', dryRun: false, trigger: 'manual' });
    await page.getByRole('button', { name: 'Dry run now' }).click();
    await page.getByText('had been asked for before, with other wishes').waitFor();
    expect(await runs.getJobCountByTypes('waiting')).toBe(1);
    await page.goto(dashboard.url);
    await page.getByRole('button', { name: 'Stop after its chunk' }).click();
    await page.getByText('ends after its chunk').waitFor();
    expect(await redis.redis.exists(`{stalesweep}:stop:${job?.id}`)).toBe(1);
    expect(complaints).toEqual([]);
  }),
);

it(
  'offers nothing where nothing can be changed, and a row for each of several targets, the troubled first',
  BROWSER,
  () =>
    visit({ yaml: `readOnly: true\n${twoMore()}`, browser: { colorScheme: 'dark' } }, async ({ dashboard, page }) => {
      await fill(dashboard, 'calm');
      await noteRun(ledgerIn(redis.redis), targetOf(dashboard, 'wild'), {
        coordinators: { active: 400, held: 600 },
        held: { since: '2026-01-01T14:00:00.000Z', until: null },
      });
      await page.goto(dashboard.url);
      await page.getByText('600', { exact: true }).waitFor();
      expect(await page.locator('tbody th a').allTextContents()).toEqual(['wild', 'default', 'calm']);
      const asked = await dashboard.ask('/ask?target=wild&kind=run', { headers: { accept: 'text/html' } });
      expect([asked.status, await asked.text()]).toEqual([403, expect.stringContaining('This dashboard is read-only')]);
      await page.getByRole('link', { name: 'wild' }).click();
      await page.getByText('600 of 1,000 coordinators have fallen silent together').waitFor();
      // Its name is the script's.
      await page.getByRole('button', { name: 'Switch to light' }).waitFor();
      expect(await page.locator('form, .button').count()).toBe(0);
      expect(await page.locator('button').allTextContents()).toEqual(['Light']);
      await page.getByRole('button', { name: 'Switch to light' }).click();
      await page.reload();
      expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
    }),
);
