/** ended since: the runs of all targets that have ended lately, for whoever keeps them in mind and asks for what is new. */
import type { Blocks } from '../blocks.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { readPage } from './page.ts';
import { type PastRun, parseRun } from './pastRun.ts';

const RUNS = 'runs/';

/**
 * The runs that ended after this instant, in ms by the clock of the queue's Redis; in no order, but of each target in that in which
 * those ended that ended alike. Reads the pages that were written since, and nothing else: what is not new costs nothing. What is
 * damaged is left out. Rejects as `Blocks` do.
 */
export async function* endedSince(blocks: Blocks, sinceMs: number): AsyncGenerator<PastRun, void, undefined> {
  const names = (await blocks.writtenSince(sinceMs)).filter((name) => name.startsWith(RUNS));
  for await (const sealed of blocks.read(names)) {
    // One that is gone meanwhile was the oldest.
    if (sealed === null) continue;
    try {
      // The newest stand last.
      const { lines } = await readPage(sealed);
      const fresh: PastRun[] = [];
      for (let at = lines.length - 1; at >= 0; at--) {
        const run = parseRun(lines[at] as string);
        if (run.atMs <= sinceMs) break;
        fresh.push(run);
      }
      yield* fresh.reverse();
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
    }
  }
}
