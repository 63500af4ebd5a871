/// <reference lib="dom" />
/** The pages, by keyboard alone. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { complaintsOf, launchBrowser } from '../support/browser.ts';
import type { TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { openScene } from './scene.ts';

const BROWSER = { timeout: 240_000 };
/** No page has so many controls. */
const MOST = 400;

let redis: TestRedis;
let browser: Browser;
let dashboard: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  dashboard = await openScene(redis);
  browser = await launchBrowser();
}, BROWSER.timeout);
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
  await redis?.stop();
});

/** What a control is, for whoever reads a failure; but times, which go on meanwhile. */
const IN_PAGE = `
globalThis.saidOf = (element) =>
  element.tagName.toLowerCase() + ' ' + (element.getAttribute('aria-label') ?? element.name ?? '') + ' ' + element.textContent.replace(/\\d+ (s|min|h|d)\\b/g, '…').replace(/\\d+(:\\d\\d)+/g, '…').trim().slice(0, 40);
globalThis.controls = () =>
  [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter(
    (element) =>
      element.tabIndex >= 0 && !element.disabled && element.type !== 'hidden' && element.checkVisibility({ visibilityProperty: true }),
  );
globalThis.focused = () => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const { width, height, left, right } = element.getBoundingClientRect();
  return {
    at: controls().indexOf(element),
    what: saidOf(element),
    isSeen: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none',
    isThere: width > 0 && height > 0 && right > 0 && left < innerWidth,
  };
};
globalThis.trail = [];
addEventListener('focusin', () => trail.push(focused()));
`;

interface Focused {
  readonly at: number;
  readonly what: string;
  readonly isSeen: boolean;
  readonly isThere: boolean;
}

/** Goes once through a page of so many controls by one key; what had the focus, in order. */
async function walk(page: Page, key: 'Tab' | 'Shift+Tab', count: number): Promise<readonly Focused[]> {
  await page.evaluate('trail.length = 0');
  // Held down, it comes again and again, as from a real keyboard, and in order; to wait for each costs as much as the key does.
  const [last = key, ...held] = key.split('+').toReversed();
  for (const one of held) await page.keyboard.down(one);
  await Promise.all(Array.from({ length: count + 1 }, async () => await page.keyboard.down(last)));
  for (const one of [last, ...held]) await page.keyboard.up(one);
  const trail = (await page.evaluate('trail')) as Focused[];
  // Where the browser has nothing else, it is at its beginning again.
  const again = trail.findIndex(({ at }, i) => i > 0 && at === trail[0]?.at);
  return again === -1 ? trail : trail.slice(0, again);
}

const PAGES = [
  ['the overview', '/'],
  ['a target that holds many', '/?target=default'],
  ['a target with a trash', '/?target=kept'],
  ['the runs', '/runs'],
  ['a run that was found', '/runs?find=c1'],
  ['a run', '/runs/taken?target=kept'],
  ['what asks before it gives back', '/runs/taken/restore?target=kept'],
  ['what asks before a run', '/ask?target=default&kind=run'],
  ['what asks before the held go', '/ask?target=default&kind=force'],
  ['an error', '/runs/none?target=kept'],
] as const;

async function visit(path: string, width: number, look: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  try {
    await page.addInitScript(IN_PAGE);
    await page.goto(`${dashboard.url}${path}`);
    await page.locator('[data-theme-switch]:not([hidden])').waitFor();
    await page.locator('[data-fill]').waitFor({ state: 'detached' });
    await look(page);
  } finally {
    await context.close();
  }
  // That a page is not there the browser says, too.
  expect(complaints.filter((one) => !one.includes('404'))).toEqual([]);
}

test.each(PAGES)('%s is gone through by Tab, in order, with the focus in sight', BROWSER, async (_, path) => {
  for (const width of [Math.random() < 0.5 ? 1280 : 390]) {
    await visit(path, width, async (page) => {
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      const all = (await page.evaluate('controls().map(saidOf)')) as string[];
      expect(all.length).toBeGreaterThan(5);
      const seen = await walk(page, 'Tab', all.length);
      expect(seen.map(({ what }) => what)).toEqual(all);
      expect(seen.map(({ at }) => at)).toEqual(all.map((__, i) => i));
      expect(seen.filter(({ isSeen, isThere }) => !isSeen || !isThere)).toEqual([]);
      const back = await walk(page, 'Shift+Tab', all.length);
      expect(back.length).toBeGreaterThanOrEqual(all.length - 1);
    });
  }
});

/** Presses Tab until a control of this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < MOST; i++) {
    await page.keyboard.press('Tab');
    if (name.test((await page.evaluate('document.activeElement ? saidOf(document.activeElement) : ""')) as string))
      return;
  }
  throw new Error(`no key leads to ${name}`);
}

test('whoever has but a keyboard asks for a run, finds one, and gives back what it took', BROWSER, async () => {
  await visit('/', 1280, async (page) => {
    await tabTo(page, /^a .*Skip to content/);
    await page.keyboard.press('Enter');
    // Past the head: the next control is one of the page.
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.closest("main") !== null')).toBe(true);
    await tabTo(page, /^button Switch to dark/);
    await page.keyboard.press('Space');
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await tabTo(page, /^a +default$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/target=default/);
    await tabTo(page, /^a +Run now…/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/ask/);
    await tabTo(page, /^button +Dry run first/);
    await page.keyboard.press('Space');
    await page.getByText('was asked for').waitFor();
    await tabTo(page, /^a +Runs$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs$/);
    await tabTo(page, /^input find/);
    await page.keyboard.type('c1');
    await page.keyboard.press('Enter');
    await page.waitForURL(/find=c1/);
    await tabTo(page, /^a .*taken/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\/taken/);
    await tabTo(page, /^a +Give everything back…/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/restore/);
    await page.locator('[data-fill]').waitFor({ state: 'detached' });
    await tabTo(page, /^input heartbeats/);
    await page.keyboard.press('Space');
    expect(await page.locator('[name=heartbeats]').isChecked()).toBe(true);
    await tabTo(page, /^button +Give back/);
    await page.keyboard.press('Enter');
    await page.getByText('came back.').first().waitFor();
  });
});
