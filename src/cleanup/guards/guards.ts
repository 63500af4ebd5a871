/** guards: what stands between finding stale coordinators and removing them, and what an operator should be told of it. */
import type { TargetConfig } from '../../config/resolve.ts';
import { FRACTION_FROM } from '../../domain/suddenSilence.ts';
import { ConnectionLost } from '../../redis/call/lost.ts';
import { adviseSchema } from '../../redis/keyspace/probe.ts';
import { atNodes, type Run } from '../context.ts';

/** Why the run must not go on: more looks stale than an operator holds possible. */
export function refusal({ tally }: Run, { maxStale, maxStaleFraction }: TargetConfig, force: boolean): string | null {
  const stale = tally.due + tally.orphaned;
  const checked = tally.coordinators.checked + tally.orphaned;
  if (force) return null;
  // A quotient, since 0.29 * 100 is less than 29.
  const isShare = stale >= FRACTION_FROM && stale / checked > maxStaleFraction;
  const isCount = maxStale !== undefined && stale > maxStale;
  if (!isShare && !isCount) return null;
  const allows = isShare ? `maxStaleFraction ${maxStaleFraction}` : `maxStale ${maxStale}`;
  const share = `${stale} of ${checked} coordinators look stale, more than ${allows} allows`;
  return `${share}; check the clock and the heartbeat writers; if they are gone, sweep them all the same, with --force`;
}

/** Says so where a server came back so lately that nobody there can be stale yet (P10). */
export function warnOfRestart(run: Run): void {
  for (const { node, staleAfterSeconds, observer } of atNodes(run)) {
    const { upSeconds } = node.clock;
    if (upSeconds === null || upSeconds > staleAfterSeconds) continue;
    observer.warn?.(
      `Redis came back with old data ${upSeconds}s ago: nobody is stale before it has been up for ${staleAfterSeconds}s`,
    );
  }
}

/** What to say of a run that met no heartbeat although its database holds keys: a wrong schema looks just like that. */
export async function nobodyMet(run: Run): Promise<string | null> {
  const { schema, tally, observer, signal } = run;
  if (tally.coordinators.checked > 0 || signal.aborted) return null;
  for (const { node } of atNodes(run)) {
    const unfit = await node
      .steadily('scan', () => adviseSchema(node.calls, schema, signal))
      .catch((error: unknown) => {
        // It is only advice: a way that is cut again and again fails no run that has ended.
        if (error instanceof ConnectionLost) return null;
        throw error;
      });
    if (unfit === null) continue;
    const sentence = `${unfit.message}; ${unfit.advice}`;
    observer.warn?.(sentence);
    return sentence;
  }
  return null;
}
