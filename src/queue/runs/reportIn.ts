/** reportIn: the report in what a job returned. Any program, and any version of this one, can complete a job with
 * anything, so it is checked before anybody counts or shows it. */
import { z } from 'zod';
import type { Report } from '../../domain/report.ts';

const count = z.number().nonnegative();

/** What is shown and counted; a later version may say more. */
const REPORT = z.looseObject({
  run: z.string(),
  target: z.string(),
  dryRun: z.boolean(),
  outcome: z.enum(['completed', 'refused', 'skipped', 'stopped', 'interrupted']),
  reason: z.string().optional(),
  finishedAt: z.iso.datetime(),
  durationMs: count,
  coordinators: z.looseObject({
    checked: count,
    active: count,
    stale: count,
    unreadable: count,
    swept: count,
    revived: count,
  }),
  keys: z.looseObject({
    found: count,
    deleted: count,
    orphans: count.nullable(),
    byFamily: z.record(z.string(), count),
  }),
  redis: z.looseObject({ calls: count, slowestCallMs: count, memoryFreedBytes: count }),
  // Up to 0.1.0 these were bare names: without a reason they are shown nowhere.
  unreadable: z.preprocess(
    (groups) => (Array.isArray(groups) ? groups.filter((group) => typeof group !== 'string') : groups),
    z.array(z.looseObject({ why: z.string(), count, sample: z.array(z.string()) })),
  ),
});

/** `null` when there is none that can be read. */
export function reportIn(returned: unknown): Report | null {
  const result = REPORT.safeParse(returned);
  return result.success
    ? { ...(returned as Report), unreadable: result.data.unreadable as Report['unreadable'] }
    : null;
}
