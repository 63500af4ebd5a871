/** end run: from the open runs to the page of those that ended alike, in one step. */
import type { Blocks } from '../blocks.ts';
import { chainName, instantOf, openName } from './names.ts';
import { hasRoom, lastOf, lineOf, NO_PAGE, type Page, readPage, writePage } from './page.ts';
import { chainOf, type PastRun, parseRun } from './pastRun.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';

/** How often it is tried against others that end at the same moment: one of them always wins. */
const ATTEMPTS = 50;

/**
 * Notes that a run ended, now. Asked again for the same run, because the answer got lost, it does nothing; with the run
 * as it stands in the ledger.
 * @param open as the run must stand open; otherwise somebody goes on with it, or has ended it, and `null` comes back
 */
export async function endRun(blocks: Blocks, run: PastRun, open: Buffer): Promise<PastRun | null>;
export async function endRun(blocks: Blocks, run: PastRun): Promise<PastRun>;
export async function endRun(blocks: Blocks, run: PastRun, open?: Buffer): Promise<PastRun | null> {
  const chain = chainName(run.target, chainOf(run));
  const openRun = openName(run.target, run.run);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (open !== undefined && !(await stands(blocks, openRun, open))) return null;
    const nowMs = await blocks.nowMs();
    const standing = await newestPage(blocks, chain);
    const already = standing.lines
      .filter((line) => line.includes(JSON.stringify(run.run)))
      .map(parseRun)
      .find((one) => one.run === run.run && one.startedAtMs === run.startedAtMs);
    if (already !== undefined) return already;
    // Each has an instant of its own in its chain, so that one can go on after it.
    const ended = { ...run, state: 'ended', atMs: Math.max(nowMs, (lastOf(standing)?.atMs ?? 0) + 1) } as const;
    const line = lineOf(ended);
    const goesOn = hasRoom(standing, line);
    const name = goesOn ? standing.name : `${chain}${instantOf(ended.atMs)}`;
    const written = await blocks.write(name, await writePage(goesOn ? [...standing.lines, line] : [line]), {
      replaces: goesOn ? standing.sealed : NO_PAGE.sealed,
      atMs: ended.atMs,
      ends: openRun,
      ...(open === undefined ? {} : { ending: open }),
    });
    if (written) return ended;
  }
  throw new Error('other runs end again and again at the same moment');
}

/** What is damaged is left as it is, and a new page begun. */
async function newestPage(blocks: Blocks, chain: string): Promise<Page & { readonly name: string }> {
  const [[newest] = []] = await blocks.last([{ from: chain }], 1);
  if (newest === undefined) return { ...NO_PAGE, name: '' };
  try {
    for await (const bytes of blocks.read([newest.name])) {
      if (bytes !== null) return { ...(await readPage(bytes)), name: newest.name };
    }
  } catch (error) {
    if (!(error instanceof DamagedBlock)) throw error;
  }
  return { ...NO_PAGE, name: '' };
}

async function stands(blocks: Blocks, name: string, sealed: Buffer): Promise<boolean> {
  for await (const standing of blocks.read([name])) return standing?.equals(sealed) ?? false;
  return false;
}
