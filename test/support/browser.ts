/** browser: a real one, which asks nobody for anything by itself. */
import { type Browser, chromium, type Page } from 'playwright-core';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET });
}

/** What chromium says when a page is so slow that what was loaded ahead is not used in time: the machine's fault, not the
 * page's. */
const OWN_PATIENCE = /was preloaded using link preload but not used within a few seconds/;

/** What the page's browser complains of from now on: errors, warnings, violations of the policy. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type()) || OWN_PATIENCE.test(message.text())) return;
    complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}
