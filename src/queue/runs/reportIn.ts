/** reportIn: the report in what a job returned. Any program, and any version of this one, can complete a job with
 * anything, so it is checked before anybody counts or shows it. */
import * as v from 'valibot';
import type { Report } from '../../domain/report.ts';

const count = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What is shown and counted; a later version may say more. */
const REPORT = v.looseObject({
  run: v.string(),
  target: v.string(),
  dryRun: v.boolean(),
  outcome: v.picklist(['completed', 'refused', 'skipped', 'stopped', 'interrupted']),
  reason: v.optional(v.string()),
  finishedAt: v.pipe(v.string(), v.isoTimestamp()),
  durationMs: count,
  coordinators: v.looseObject({
    checked: count,
    active: count,
    stale: count,
    unreadable: count,
    swept: count,
    revived: count,
  }),
  keys: v.looseObject({
    found: count,
    deleted: count,
    orphans: v.nullable(count),
    byFamily: v.record(v.string(), count),
  }),
  redis: v.looseObject({ calls: count, slowestCallMs: count, memoryFreedBytes: count }),
  // Up to 0.1.0 these were bare names: without a reason they are shown nowhere.
  unreadable: v.pipe(
    v.array(v.unknown()),
    v.filterItems((group) => typeof group !== 'string'),
    v.array(v.looseObject({ why: v.string(), count, sample: v.array(v.string()) })),
  ),
});

/** `null` when there is none that can be read. */
export function reportIn(returned: unknown): Report | null {
  const result = v.safeParse(REPORT, returned);
  return result.success
    ? { ...(returned as Report), unreadable: result.output.unreadable as Report['unreadable'] }
    : null;
}
