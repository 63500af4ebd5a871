/** promotion: a replica that took over, by what it says of itself. What its primary took last may never have reached it, beats among it, so
 * silence counts from when it took over, as after a restart with old data (P10). It does not say when that was: whoever remembers which
 * histories there were before can tell.
 */
import { deploymentOf } from '../../config/values/deployment.ts';
import type { Info } from './clock.ts';

const NEVER = /^0*$/;

/** Whether a server was a replica before; not where it does not say. */
export function wasReplica(info: Info): boolean {
  return !NEVER.test(info.get('master_replid2') ?? '');
}

/**
 * The history that a primary began as it took over from another one; `null` where it began as a primary, or sentinels tell since when
 * it is one.
 * @param url how it was reached
 */
export function promotedHistory(url: string, info: Info): string | null {
  if (deploymentOf(url)?.kind === 'sentinel' || info.get('role') !== 'master' || !wasReplica(info)) return null;
  return info.get('master_replid') || null;
}
