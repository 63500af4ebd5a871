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

/** Each takes seconds. */
const MOST_LOOKS = 20;

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
  const look = async (): Promise<string> => {
    const said = [];
    for (const line of page.look) said.push(await typed(house, line, true));
    return said.join('');
  };
  const seen = [await look()];
  // In this quicker time an alert may fire before what it tells of is known elsewhere, such as a worker that was killed.
  const isShown = () => fault.shown.every((pattern) => pattern.test(seen[0] ?? ''));
  for (let again = 0; again < MOST_LOOKS && !isShown(); again++) seen[0] = await look();
  for (const pattern of fault.shown) expect(seen[0]).toMatch(pattern);
  const commands = page.mend.get(fault.point);
  if (commands === undefined) throw new Error(`${alert} has no point "${fault.point}"`);
  await fault.byHand?.(house);
  for (const line of commands) seen.push(await typed(house, line, false));
  for (const line of page.atOnce) seen.push(await typed(house, line, true));
  await house.prometheus.resolves(alert);
  await fault.mended?.(house);
  return seen.join('');
}
