/** seek run: the newest run of an id, of which nothing else is known, among all that stand in the ledger.
 *
 *      pages, the last written first ──▶ those in which it may stand, by their filters ──▶ read, until no other can have a newer one
 *
 *  Promises  no call looks at more than 500 filters or reads more than eight pages, one in fifty of which does not have it.
 */
import type { Listed } from '../ages.ts';
import type { Blocks } from '../blocks.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { chainName } from './names.ts';
import { readAllOpen } from './openRuns.ts';
import { questionFor, textOfPage } from './page.ts';
import { type PastRun, parseRun } from './pastRun.ts';

export interface SoughtRun {
  readonly run: string;
  /** Left out: in all targets. */
  readonly target?: string | undefined;
}

/** The newest such run, under way or ended; `null` when there is none. What is damaged is left out. Rejects as `Blocks` do. */
export async function seekRun(blocks: Blocks, sought: SoughtRun): Promise<PastRun | null> {
  const begunAtMs = await blocks.nowMs();
  const open = (await readAllOpen(blocks, sought.target)).map(({ run }) => run);
  const known = open.filter(({ run }) => run === sought.run).sort((a, b) => b.atMs - a.atMs)[0] ?? null;
  if (known !== null && known.state !== 'ended') return known;
  const oldestMs = begunAtMs - blocks.bounds.ageMs;
  // A page that is added to comes to the front, where nobody looks any more.
  const ended = (await seekEnded(blocks, sought, oldestMs)) ?? (await seekEnded(blocks, sought, begunAtMs));
  return newerOf(known, ended === null || ended.atMs < oldestMs ? null : ended);
}

/** Among those in pages that were written then or later. */
async function seekEnded(blocks: Blocks, sought: SoughtRun, sinceMs: number): Promise<PastRun | null> {
  const beginning = sought.target === undefined ? 'runs/' : chainName(sought.target, '').slice(0, -1);
  const question = questionFor(sought.run);
  let newest: PastRun | null = null;
  for await (const pages of blocks.ages.lastWritten(beginning, sinceMs)) {
    const likely = await blocks.holding(pages, question);
    let at = 0;
    for await (const sealed of blocks.read(likely.map(({ name }) => name))) {
      const { atMs } = likely[at++] as Listed;
      // All in the pages that follow ended before.
      if (newest !== null && newest.atMs >= atMs) return newest;
      newest = newerOf(newest, sealed === null ? null : await runIn(sealed, sought.run));
    }
    if (newest !== null && newest.atMs >= (pages.at(-1)?.atMs ?? 0)) return newest;
  }
  return newest;
}

function newerOf(a: PastRun | null, b: PastRun | null): PastRun | null {
  return a === null || (b !== null && b.atMs > a.atMs) ? b : a;
}

/** The newest run of this id in a page; `null` where there is none, or the page is damaged. */
async function runIn(sealed: Buffer, id: string): Promise<PastRun | null> {
  try {
    const text = await textOfPage(sealed);
    const written = JSON.stringify(id);
    // Of most pages that are read by mistake not even a line is looked at.
    if (!text.includes(written)) return null;
    for (const line of text.toString().split('\n').reverse()) {
      const run = line.includes(written) ? parseRun(line) : null;
      if (run?.run === id) return run;
    }
  } catch (error) {
    if (!(error instanceof DamagedBlock)) throw error;
  }
  return null;
}
