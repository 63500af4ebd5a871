/** ended since: the runs of all targets that have ended lately, for whoever keeps them in mind and asks for what is new. */
import type { Blocks } from '../blocks.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { readPage } from './page.ts';
import { type PastRun, parseRun } from './pastRun.ts';

const RUNS = 'runs/';

/** Pages that were read, by their names, with the instant by which each was written. */
export type SeenPages = ReadonlyMap<string, number>;

/**
 * The runs that ended after this instant, in ms by the clock of the queue's Redis; in no order, but of each target in that in which
 * those ended that ended alike. Reads the pages that were written since, and nothing else: what is not new costs nothing. What is
 * damaged is left out. Returns which pages there were. Rejects as `Blocks` do.
 * @param seen what was returned before: what has not been written since is not read again
 */
export async function* endedSince(
  blocks: Blocks,
  sinceMs: number,
  seen: SeenPages,
): AsyncGenerator<PastRun, SeenPages, undefined> {
  const pages = (await blocks.ages.writtenSince(sinceMs)).filter(({ name }) => name.startsWith(RUNS));
  const fresh = pages.filter(({ name, atMs }) => seen.get(name) !== atMs).map(({ name }) => name);
  for await (const sealed of blocks.read(fresh)) {
    // One that is gone meanwhile was the oldest.
    if (sealed === null) continue;
    try {
      // The newest stand last.
      const { lines } = await readPage(sealed);
      const runs: PastRun[] = [];
      for (let at = lines.length - 1; at >= 0; at--) {
        const run = parseRun(lines[at] as string);
        if (run.atMs <= sinceMs) break;
        runs.push(run);
      }
      yield* runs.reverse();
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
    }
  }
  return new Map(pages.map(({ name, atMs }) => [name, atMs]));
}
