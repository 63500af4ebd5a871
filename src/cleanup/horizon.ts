/** horizon: what a run that looks at everybody leaves for those after it: until when none of them needs to look.
 *  Owns      whether a run's end lets anybody say that.
 *  Leaves    what it comes to, and when it does not hold any more, to domain; keeping it to whoever runs.
 */
import type { Horizon, KeyCounts } from '../domain/horizon.ts';
import { Outlook } from '../domain/outlook.ts';
import type { Report } from '../domain/report.ts';
import type { Target } from '../redis/target/target.ts';
import type { Run } from './context.ts';
import type { RunRequest } from './tally/report.ts';

export interface HorizonToKeep {
  /** What it is to hold for. */
  readonly basis: string;
  /** What was in the database as the run began. */
  readonly counts: KeyCounts;
  /** The one that stands; `null`: none. */
  readonly before: Horizon | null;
  /**
   * Told of the horizon that the run leaves, as soon as it knows: one that has ended, or `null`, when it failed or ended early, or somebody
   * was left stale or held, or nobody was seen to live. Must not reject.
   */
  readonly keep: (horizon: Horizon | null) => Promise<void>;
}

/** What a run is to learn of for it. */
export function outlookOf({ nodes }: Target, { staleAfterSeconds }: RunRequest): Outlook {
  return new Outlook(Math.min(...nodes.map(({ clock }) => clock.nowSeconds)), staleAfterSeconds);
}

/** The one that a run leaves which ended so; where it leaves none, one that holds for nothing, and says how long heartbeats live. */
export function horizonLeftBy(run: Run, report: Report | null, horizon: HorizonToKeep): Horizon | null {
  const { basis, counts, before } = horizon;
  if (run.outlook === null || report === null || !leavesHorizon(run, report)) {
    return before && { ...before, basis: '', listed: [] };
  }
  return run.outlook.horizon(basis, countsAfter(counts, report), before);
}

/** Whether nobody can be stale for a while. Who revived may have written anything but a new beat. */
function leavesHorizon({ signal }: Run, { outcome, reason, coordinators }: Report): boolean {
  const { active, stale, swept, held } = coordinators;
  // Who met nobody that lives knows nothing: there may be a wrong schema, or a system that is about to be filled.
  return (
    outcome === 'completed' && reason === undefined && !signal.aborted && active > 0 && held === 0 && stale === swept
  );
}

/** What there is at least after a run: whether what it removed would have expired, nobody told. */
function countsAfter({ keys, expiring }: KeyCounts, { keys: { deleted, trashed = 0 } }: Report): KeyCounts {
  const removed = deleted - trashed;
  // What lies in the trash expires, and so does what is noted of each beside it.
  return { keys: Math.max(0, keys - removed), expiring: Math.max(0, expiring - removed) + 2 * trashed };
}
