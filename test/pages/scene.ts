/** scene: a dashboard over two targets with a past: one whose last run can be given back, and one that holds many. */
import { type TestDashboard, startDashboard } from '../support/dashboard.ts';
import { ledgerIn, noteRun } from '../support/pastRuns.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import type { TestRedis } from '../support/redis.ts';
import { STALE, settle } from '../support/world.ts';

const SILENCE = [900, 100, 60, 20, 10, 9, 8, 0, 1, 0, 2];

/** What such a dashboard is configured with. @param more lines of YAML */
export function yamlOf({ url }: TestRedis, more: object = {}): string {
  const targets = { default: { url }, kept: { url: `${url}/2`, trash: '1h' } };
  return JSON.stringify({ ...more, queue: { url }, targets });
}

/** Writes the past. Run `taken` of `kept` has swept `c1` and `c2`; of `default` some are held. */
export async function writePast({ redis, url }: TestRedis, { config }: TestDashboard): Promise<void> {
  const ledger = ledgerIn(redis);
  const [target, kept] = ['default', 'kept'].map((name) => config.targets.get(name));
  if (target === undefined || kept === undefined) throw new Error('the targets are not there');
  await noteRun(ledger, target, { outcome: 'failed', reason: 'Redis could not be reached: connection refused' });
  await noteRun(ledger, target, { swept: ['a', 'b'], coordinators: { active: 1_000 }, silence: SILENCE });
  await noteRun(ledger, target, { dryRun: true, coordinators: { active: 1_000, stale: 2 }, silence: SILENCE });
  const coordinators = { active: 400, held: 600, unreadable: 3 };
  await noteRun(ledger, target, {
    coordinators,
    silence: SILENCE,
    held: { since: new Date(Date.now() - 600_000).toISOString(), until: new Date(Date.now() + 600_000).toISOString() },
  });
  const families = target.schema.families.map((family) => ({ family, keys: 1_208, bytes: 240_000 }));
  await ledger.noteLook(target, { complete: true, families });
  const place = redis.duplicate({ db: 2, connectionName: 'fixture' });
  try {
    for (const id of ['c1', 'c2']) await settle(place, id, STALE + 60);
    await sweepRecorded(redis, `${url}/2`, { run: 'taken', target: 'kept', settings: { trash: '1h' } });
  } finally {
    place.disconnect();
  }
}

/** A dashboard with that past. */
export async function openScene(server: TestRedis, more: object = {}): Promise<TestDashboard> {
  const dashboard = await startDashboard({}, { yaml: yamlOf(server, more) });
  await writePast(server, dashboard);
  return dashboard;
}
