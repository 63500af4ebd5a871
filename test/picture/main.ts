/// <reference lib="dom" />
/** picture: makes the README's picture of the overview, of a real demo in a real browser.
 *
 *      npm run picture          writes docs/overview.png
 *
 *  Owns      when there is something to see on every part of the page: after so many runs that swept somebody.
 *  Promises  fails when the page lacks a part, or the browser complains; leaves no process behind.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { complaintsOf, launchBrowser } from '../support/browser.ts';

const ROOT = new URL('../../../', import.meta.url);
const MAIN = fileURLToPath(new URL('dist/src/cli/main.js', ROOT));
const PICTURE = fileURLToPath(new URL('docs/overview.png', ROOT));

/** Wide enough for two columns; more pixels than points, since READMEs are read on fine screens, and yet less than 200 kB. */
const SCREEN = { viewport: { width: 1_160, height: 900 }, deviceScaleFactor: 1.25, colorScheme: 'light' } as const;
/** The first run sweeps what stood there; from the next ones on there are bars to compare. */
const SWEEPING_RUNS = 4;
const PATIENCE_MS = 180_000;
/** The parts of the overview, by what stands over them. */
const PARTS = [
  'Coordinators',
  'Next run',
  'Last run',
  'Swept in 24 hours',
  'Run time',
  'What stands there',
  'Swept last',
];

interface Demo {
  readonly url: string;
  /** Resolves once so many runs have swept somebody. */
  readonly seen: Promise<void>;
  end(): Promise<void>;
}

async function startDemo(): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-picture-'));
  const child = spawn(process.execPath, [MAIN, 'demo'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let swept = 0;
  let url = (_: string): void => {};
  let enough = (): void => {};
  const found = new Promise<string>((resolve) => {
    url = resolve;
  });
  const seen = new Promise<void>((resolve) => {
    enough = resolve;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const address = /^look at it: (\S+)$/.exec(line)?.[1];
    if (address !== undefined) url(address);
    if (/ run \S+ swept [\d,]+ /.test(line) && ++swept === SWEEPING_RUNS) enough();
  });
  const early = ended.then(([code]) => {
    throw new Error(`the demo ended with ${code}`);
  });
  return {
    url: await Promise.race([found, early]),
    seen: Promise.race([seen, early]),
    end: async () => {
      early.catch(() => {});
      child.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until each part of the page is there. */
async function untilWhole(page: Page): Promise<void> {
  for (const part of PARTS) {
    await page
      .getByText(new RegExp(`^\\s*${part}`))
      .first()
      .waitFor({ timeout: PATIENCE_MS });
  }
}

const demo = await startDemo();
const browser = await launchBrowser();
try {
  const page = await browser.newPage(SCREEN);
  const complaints = complaintsOf(page);
  await demo.seen;
  await page.goto(demo.url);
  await untilWhole(page);
  await page.screenshot({ path: PICTURE, fullPage: true });
  if (complaints.length > 0) throw new Error(`the browser complains: ${complaints.join('; ')}`);
  console.log(`wrote ${PICTURE}`);
} finally {
  await browser.close();
  await demo.end();
}
