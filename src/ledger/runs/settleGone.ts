/** settle gone: ends the runs whose process has ended without a word, so that they do not stand open for ever. */
import type { Blocks } from '../blocks.ts';
import { endRun } from './endRun.ts';
import { readAllOpen } from './openRuns.ts';
import { endedAs } from './pastRun.ts';

const MINUTE_MS = 60_000;
/** Another attempt of a run goes on within seconds; and who was frozen for minutes may still come back. */
const GONE_MS = 10 * MINUTE_MS;
/** Between two attempts a run waits for an hour at most; the queue may stand still for a night. */
const WAITING_MS = 24 * 60 * MINUTE_MS;
const MOST_AT_ONCE = 16;
/** When so many are open, none is waited for. */
const MANY = 200;

/** Ends at most 16 of them, those that were heard of longest ago; none that somebody goes on with meanwhile. */
export async function settleGone(blocks: Blocks): Promise<void> {
  const nowMs = await blocks.nowMs();
  const open = await readAllOpen(blocks);
  const gone = open
    .filter(({ run: { state, atMs } }) => {
      if (state === 'active') return false;
      return open.length > MANY || nowMs - atMs > (state === 'waiting' ? WAITING_MS : GONE_MS);
    })
    .sort((a, b) => a.run.atMs - b.run.atMs)
    .slice(0, MOST_AT_ONCE);
  for (const { run, sealed } of gone) {
    const lastSeen = new Date(run.atMs).toISOString();
    const reason =
      run.state === 'waiting' ? `nobody went on with it: ${run.reason ?? 'no reason was given'}` : run.reason;
    await endRun(blocks, endedAs(run, 'interrupted', `${reason}; last heard of at ${lastSeen}`), sealed);
  }
}
