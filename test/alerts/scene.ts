/** scene: a fault as somebody on call lives through it: the alert fires, its page is followed word by word, the alert is over. */
import { expect, type TestContext } from 'vitest';
import type { Fault } from './faults.ts';
import { House } from './house.ts';
import { runbookOf } from './runbook.ts';

/** What a command printed, and how it ended; `doctor`, and a run that shows a fault, end with 1. */
async function typed(house: House, line: string, mayFail: boolean): Promise<string> {
  const { code, stdout, stderr } = await house.types(line);
  const printed = `$ ${line}\n${stdout}${stderr}`;
  expect(mayFail ? [0, 1, 7] : [0], printed).toContain(code);
  return printed;
}

/** Fails unless this fault fires its alert, and its page mends it. Returns what was seen, for whoever reads it. */
export async function expectMended(fault: Fault, finished: TestContext['onTestFinished']): Promise<string> {
  const { alert, factor = 60, works = true } = fault;
  const page = runbookOf(alert);
  const house = await House.open(fault.env ?? {}, factor, finished, fault.lacks);
  await fault.before?.(house);
  if (works) {
    await house.openWorker();
    await house.succeeded();
    await house.prometheus.isQuiet();
  }
  await fault.cause(house);
  await house.prometheus.fires(alert);
  await fault.fired?.(house);
  const seen = [];
  for (const line of page.look) seen.push(await typed(house, line, true));
  for (const pattern of fault.shown) expect(seen.join('')).toMatch(pattern);
  const commands = page.mend.get(fault.point);
  if (commands === undefined) throw new Error(`${alert} has no point "${fault.point}"`);
  await fault.byHand?.(house);
  for (const line of commands) seen.push(await typed(house, line, false));
  for (const line of page.atOnce) seen.push(await typed(house, line, true));
  await house.prometheus.resolves(alert);
  await fault.mended?.(house);
  return seen.join('');
}
