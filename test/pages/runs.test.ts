/// <reference lib="dom" />
/** The pages of runs, as a browser shows them: to whoever sees them, hears them, has a phone, or no script. */
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { complaintsOf, launchBrowser } from '../support/browser.ts';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RunRecorder } from '../../src/ledger/recording/recorder.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { STALE, settle } from '../support/world.ts';
import { going, sweptReport, write } from './past.ts';

const BROWSER = { timeout: 120_000 };
const MINUTE = 60_000;
const ODD = ['<script>alert(1)</script>', 'مرحبا-\u202eabc', '🦊🦊', 'x'.repeat(500), '"&<>', 'c42'];
/** A target may be called so. */
const LONG = 'a-name-that-is-longer-than-a-phone-is-wide-in-production-eu-1';
const DOWN = 'Redis at redis://staging:6379 could not be reached: connection refused';

let redis: TestRedis;
let browser: Browser;
let dashboard: TestDashboard;
let open: RunRecorder;

beforeAll(async () => {
  redis = await startRedis();
  const url = redis.url;
  const yaml = JSON.stringify({
    targets: {
      default: { url },
      staging: { url: `${url}/1` },
      kept: { url: `${url}/2`, trash: '1h' },
      [LONG]: { url: `${url}/3` },
    },
    queue: { url },
  });
  const story = async (...[told]: [Parameters<typeof write>[1]]) => await write(redis.redis, told);
  for (let i = 0; i < 12; i++) {
    const report = sweptReport(`${100 + i}`, 0);
    const coordinators = { ...report.coordinators, unreadable: i % 3 };
    const end = { outcome: 'completed', report: { ...report, coordinators } } as const;
    await story({ run: `${100 + i}`, agoMs: (400 - i) * MINUTE, trigger: 'schedule', end });
  }
  for (let i = 0; i < 4; i++) {
    const end = { outcome: 'failed', reason: DOWN } as const;
    await story({
      run: `${200 + i}`,
      target: 'staging',
      agoMs: (200 - i) * MINUTE,
      trigger: 'schedule',
      attempt: 3,
      end,
    });
  }
  const many = Array.from({ length: 250 }, (_, i) => going(`dead-${i}`, `s${i % 7}`, 650 + i));
  await story({ run: 'by-hand', agoMs: 150 * MINUTE, trigger: 'cli', by: 'ops@host', going: many });
  const unreadable = [{ why: 'not-json', count: 13, sample: ['swarm:s1:blocking:heartbeat:<b>odd</b>'] }] as const;
  const report = sweptReport('303', ODD.length, { unreadable });
  const odd = ODD.map((id) => going(id, id));
  await story({
    run: '303',
    agoMs: 60 * MINUTE,
    trigger: 'schedule',
    trashMs: 1_440 * MINUTE,
    going: odd,
    end: { outcome: 'completed', report },
  });
  open = await story({ run: '330', agoMs: 5_000, trigger: 'manual', going: [going('now')], end: null });
  dashboard = await startDashboard({}, { yaml });
  browser = await launchBrowser();
}, BROWSER.timeout);
afterAll(async () => {
  await open?.end({ outcome: 'completed', report: null });
  await browser?.close();
  await dashboard?.close();
  await redis?.stop();
});

/** Opens a page; whatever the browser complains about fails. */
async function visit(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  try {
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    await look(page);
  } finally {
    await context.close();
  }
  expect(complaints).toEqual([]);
}

/** What axe-core finds wrong. The policy of the page lets no script in, but what a debugger evaluates. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    async () => await (globalThis as unknown as { axe: typeof axe }).axe.run(),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

async function pathOf(page: Page, run: string): Promise<string> {
  await page.goto(`${dashboard.url}/runs`);
  const href = await page
    .getByRole('link', { name: `run ${run}` })
    .first()
    .getAttribute('href');
  return `${dashboard.url}${href}`;
}

const PHONE = { viewport: { width: 390, height: 800 } };
/** How far the page, or a table, goes beyond where it should end. */
async function sideways(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const end = document.querySelector('main h1')?.parentElement?.getBoundingClientRect().right ?? clientWidth;
    const tables = [...document.querySelectorAll('table:not(.scroll table)')];
    const beyond = tables.map((table) => Math.floor(table.getBoundingClientRect().right - end));
    return Math.max(scrollWidth - clientWidth, 0, ...beyond);
  });
}

describe('the pages of runs', BROWSER, () => {
  test.each([
    ['on a desk, light', { colorScheme: 'light' }],
    ['on a tablet, light', { colorScheme: 'light', viewport: { width: 700, height: 900 } }],
    ['on a phone, dark', { ...PHONE, colorScheme: 'dark' }],
  ] as const)('%s, are accessible, do not scroll sideways, and show ids for what they are', async (_, options) => {
    await visit(options, async (page) => {
      await page.goto(`${dashboard.url}/runs`);
      expect(await faultsOf(page)).toEqual([]);
      expect(await sideways(page)).toBe(0);
      await page.goto(await pathOf(page, '303'));
      expect(await faultsOf(page)).toEqual([]);
      expect(await sideways(page)).toBe(0);
      const shown = await page.locator('#swept tbody th').allTextContents();
      expect(shown.sort()).toEqual([...ODD].sort());
      await page.goto(`${dashboard.url}/runs?find=${'x'.repeat(500)}`);
      expect(await faultsOf(page)).toEqual([]);
      expect(await sideways(page)).toBe(0);
    });
  });

  test('fold what found nothing, and the same failures, and open them without a script', async () => {
    await visit({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${dashboard.url}/runs`);
      await page.getByText('12 runs found nothing in default').click();
      await page.getByRole('link', { name: 'run 105' }).click();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Run 105');
      await page.goto(`${dashboard.url}/runs`);
      await page.getByText('4 × since').click();
      expect(await page.getByText(DOWN).count()).toBe(1);
      await page.getByRole('link', { name: 'run 201' }).click();
      expect(await page.getByText(`${DOWN}.`).count()).toBe(1);
    });
  });

  test('filter by what a form asks, and find an id across runs', async () => {
    await visit({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${dashboard.url}/runs`);
      await page.getByLabel('asked by').selectOption('cli');
      await page.getByLabel('only those that removed something').check();
      await page.getByRole('button', { name: 'Show' }).click();
      expect(await page.locator('tbody tr').count()).toBe(1);
      expect(await page.getByText('ops@host').count()).toBe(1);
      await page.getByRole('searchbox').fill('dead-7');
      await page.getByRole('button', { name: 'Find' }).click();
      expect(await page.locator('tbody tr').count()).toBe(1);
      await page.getByRole('link', { name: 'by-hand' }).click();
      expect(await page.getByText('250 coordinators of 260 were swept').count()).toBe(1);
      await page.goto(`${dashboard.url}/runs?find=nobody`);
      const nobody = page.getByText('No run that stands in the ledger swept this id');
      expect(await nobody.textContent()).toMatch(/the ledger reaches back to .*ago/);
      await page.goto(`${dashboard.url}/runs?outcome=stopped`);
      expect(await page.getByText('No run is like that').count()).toBe(1);
    });
  });

  test('show who was swept a hundred at a time, and search in them', async () => {
    await visit({}, async (page) => {
      await page.goto(await pathOf(page, 'by-hand'));
      const ids = new Set<string>();
      for (let left = 3; left > 0; left--) {
        for (const id of await page.locator('#swept tbody th').allTextContents()) ids.add(id);
        if (left > 1) await page.getByRole('link', { name: 'Next 100' }).click();
      }
      expect(ids.size).toBe(250);
      await page.getByLabel('ids with').fill('-24');
      await page.getByRole('button', { name: 'Search' }).click();
      const found = await page.locator('#swept tbody th').allTextContents();
      expect(found.sort()).toEqual(['dead-24', ...Array.from({ length: 10 }, (_, i) => `dead-24${i}`)]);
    });
  });

  test('show the runs of an hour, and lead from there to all of them', async () => {
    await visit({ javaScriptEnabled: false }, async (page) => {
      await page.goto(await pathOf(page, 'by-hand'));
      const ended = Number(new URL(page.url()).searchParams.get('at'));
      const shown = async (sinceMs: number, untilMs: number) => {
        await page.goto(`${dashboard.url}/runs?since=${sinceMs}&until=${untilMs}`);
        return await page.locator('tbody').getByText('ops@host').count();
      };
      expect(await shown(ended, ended + 1)).toBe(1);
      expect(await page.locator('tbody tr').count()).toBe(1);
      expect(await shown(ended - 1_000, ended)).toBe(0);
      expect(await shown(ended + 1, ended + 1_000)).toBe(0);
      await page.getByRole('link', { name: 'At any time' }).click();
      expect(await page.locator('tbody').getByText('ops@host').count()).toBe(1);
    });
  });

  test('give back what a real run took: first one of them, then all, and say so from then on', async () => {
    const kept = `${redis.url}/2`;
    const target = redis.redis.duplicate({ db: 2 });
    onTestFinished(() => target.disconnect());
    const all = [...(await settle(target, 'c1', STALE + 60)), ...(await settle(target, 'c2', STALE + 60))];
    await sweepRecorded(redis.redis, kept, { run: 'taken', target: 'kept', settings: { trash: '1h' } });
    expect(await target.exists(...all)).toBe(0);
    await visit({}, async (page) => {
      await page.goto(await pathOf(page, 'taken'));
      expect(await page.locator('.phases li').first().textContent()).toMatch(/^mark \d/);
      await page.getByRole('link', { name: 'Give back… what c1 left' }).click();
      await page.getByText(`${all.length / 2 - 1} keys lie in the trash`).waitFor();
      expect(await faultsOf(page)).toEqual([]);
      expect(await target.exists(...all)).toBe(0);
      await page.getByRole('button', { name: 'Give back' }).click();
      await page.getByText(`${all.length / 2 - 1} keys came back.`).waitFor();
      const rows = page.locator('#swept tbody tr');
      expect(await rows.filter({ hasText: 'c1' }).getByText('given back').count()).toBe(1);
      expect(await rows.filter({ hasText: 'c1' }).getByRole('link', { name: 'Give back' }).count()).toBe(0);
      expect(await rows.filter({ hasText: 'c2' }).getByRole('link', { name: 'Give back' }).count()).toBe(1);
      await page.getByRole('link', { name: 'Give everything back…' }).click();
      await page.getByLabel('heartbeats, too').check();
      await page.getByRole('button', { name: 'Give back' }).click();
      await page.getByText(new RegExp(`^Given back .+: ${all.length / 2 + 1} keys\\.$`)).waitFor();
      expect(await faultsOf(page)).toEqual([]);
      expect(await page.getByRole('link', { name: 'Give' }).count()).toBe(0);
      expect(await target.exists(...all)).toBe(all.length);
      expect(await rows.getByText('given back').count()).toBe(2);
    });
  });

  test('show a run under way as it goes on', async () => {
    await visit({}, async (page) => {
      await page.goto(await pathOf(page, '330'));
      await page.getByText('so far 1 coordinator was swept').waitFor();
      expect(await page.locator('.facts div', { hasText: 'stale after' }).locator('dd').textContent()).toMatch(/\d/);
      open.begins(() => sweptReport('330', 7));
      open.progress();
      await page.getByText('so far 7 coordinators were swept, with 42 things').waitFor();
    });
  });

  test('say so where there is no such run', async () => {
    const answer = await dashboard.ask('/runs/no-such-run');
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('stands in the ledger');
  });
});
