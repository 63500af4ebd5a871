/** run meant: which run somebody means who writes its id as lists show it. */
import { oursAmong } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { mayBeShort, shortRunId } from '../ledger/runs/runId.ts';

/** Runs for each look. */
const AT_ONCE = 1_000;

/**
 * The whole id of the run of this target that removed something and is called or shown so; what was written, where there is none.
 * Fails (`USAGE`) where several are shown so, and with the error of the queue's Redis.
 */
export async function runMeant(
  ledger: Pick<Ledger, 'history'>,
  target: TargetConfig,
  written: string,
): Promise<string> {
  if (!mayBeShort(written)) return written;
  const isOurs = oursAmong(new Map([[target.name, target]]));
  const shown: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await ledger.history({ target: target.name, removed: true, isOurs, cursor, limit: AT_ONCE });
    for (const { run } of page.runs) {
      if (run === written) return run;
      if (shortRunId(run) === written) shown.push(run);
    }
    ({ cursor } = page);
  } while (cursor !== null);
  const [only = written] = shown;
  if (shown.length > 1) throw new Failure('USAGE', `several runs end with "${written}": ${shown.join(', ')}`);
  return only;
}
