/** metrics: what `/metrics` of real processes says, against the history. */
import { eventually } from './eventually.ts';
import type { Member } from './fleet.ts';
import type { Aftermath } from './storm.ts';
import { KEYS_PER_FAMILY } from './swarm.ts';

/** Where the process serves them, as it said when it started. */
function pageOf(process: Member): string {
  const url = /"url":"(http:[^"]+)"/.exec(process.stderr())?.[1] ?? '';
  return url.endsWith('/metrics') ? url : `${url}/metrics`;
}

/** The sum of a metric over these processes, for the target `default`. */
function sumOf(pages: readonly string[], name: string, label = ''): number {
  const line = new RegExp(`^stalesweep_${name}\\{target="default"${label}\\} (\\d+)$`, 'm');
  return pages.reduce((sum, page) => sum + Number(line.exec(page)?.[1] ?? Number.NaN), 0);
}

/** Fails unless the totals of these processes together are the history's. */
export async function expectTotals(processes: readonly Member[], { rows, reports }: Aftermath): Promise<void> {
  const swept = reports.reduce((sum, { coordinators }) => sum + coordinators.swept, 0);
  const revived = reports.reduce((sum, { coordinators }) => sum + coordinators.revived, 0);
  const totals = async () => {
    const pages = await Promise.all(processes.map(async (one) => await (await fetch(pageOf(one))).text()));
    const deleted = Object.keys(KEYS_PER_FAMILY).map((family) => [
      family,
      sumOf(pages, 'keys_deleted_total', `,family="${family}"`),
    ]);
    return {
      completed: sumOf(pages, 'runs_total', ',outcome="completed"'),
      failed: sumOf(pages, 'runs_total', ',outcome="failed"'),
      skipped: sumOf(pages, 'runs_total', ',outcome="skipped"'),
      durations: sumOf(pages, 'run_duration_seconds_count'),
      swept: sumOf(pages, 'coordinators_total', ',state="swept"'),
      revived: sumOf(pages, 'coordinators_total', ',state="revived"'),
      deleted: Object.fromEntries(deleted),
    };
  };
  // The event of the last run may still be on its way.
  await eventually(totals, {
    completed: reports.length,
    failed: rows.filter(({ state }) => state === 'failed').length,
    skipped: 0,
    durations: reports.length,
    swept,
    revived,
    deleted: Object.fromEntries(Object.entries(KEYS_PER_FAMILY).map(([family, each]) => [family, swept * each])),
  });
}
