/** browser: a real one, which asks nobody for anything by itself. */
import { type Browser, chromium } from 'playwright-core';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launchBrowser = async (): Promise<Browser> =>
  await chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET });
