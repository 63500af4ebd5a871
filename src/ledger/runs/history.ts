/** history: past runs, the newest first.
 *
 *      open runs ┐
 *      chain  ───┤ pages by their newest run ──▶ always on with the newest ──▶ runs
 *      chain  ───┘
 *
 *  Promises  reads only the pages in which the next runs stand, and no more than 200 for a page of history: then it says
 *            with its cursor where to go on, though it has found fewer than were asked for. Where one run is asked for, the
 *            heads of 3,200, and of these the pages that may hold it: one in fifty others.
 */
import type { Listed } from '../ages.ts';
import type { Blocks } from '../blocks.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import type { KeptPages } from './keptPages.ts';
import { chainName, firstOf, instantOf } from './names.ts';
import { readAllOpen } from './openRuns.ts';
import { lastOf, mayHoldRun, PAGE_HEAD_BYTES, readPage } from './page.ts';
import { type PastRun, parseRun } from './pastRun.ts';
import { type Cursor, chainsFor, compare, type HistoryQuery, isAsked, readCursor, writeCursor } from './query.ts';

/** How many pages are looked at for a page of history, how many at once, and how many names further ones are asked for by. */
const BY_PAGES = { most: 200, atOnce: 8, names: 32 } as const;
/** The same where their heads tell which of them to read. */
const BY_HEADS = { most: 3_200, atOnce: 128, names: 128 } as const;
/** So many are looked at however long it takes: the newest of each chain of some targets. */
const ALWAYS = 48;
/** Names of pages that are asked for at first. */
const FIRST_NAMES = 2;
/** Two that begin a page at the same moment may write into both for so long. */
const OVERLAP_MS = 10_000;

export interface HistoryPage {
  readonly runs: readonly PastRun[];
  /** What the next page must be given; `null`: there are no more. */
  readonly cursor: string | null;
  /** How many pages could not be read, since they were damaged. */
  readonly damaged: number;
}

/** Something that holds no run later than `latestMs`. */
type Source =
  | { readonly kind: 'page'; readonly name: string; readonly atMs: number; readonly latestMs: number }
  | { readonly kind: 'chain'; readonly name: string; readonly before: string; readonly latestMs: number }
  /** The newest of them, and those before it as they are written, the newest last. */
  | { readonly kind: 'runs'; readonly run: PastRun; readonly lines: string[]; readonly latestMs: number };

/** Newest first. Rejects as `Blocks` do; what is damaged is left out, and counted. */
export async function readHistory(blocks: Blocks, kept: KeptPages, query: HistoryQuery): Promise<HistoryPage> {
  return await new Walk(blocks, kept, query).page();
}

class Walk {
  readonly #from: Cursor | null;
  #sources: Source[] = [];
  readonly #bounds: typeof BY_PAGES | typeof BY_HEADS;
  #pages = 0;
  /** Those that were kept, too. */
  #looked = 0;
  readonly #until: number;
  #damaged = 0;

  constructor(
    private readonly blocks: Blocks,
    private readonly kept: KeptPages,
    private readonly query: HistoryQuery,
  ) {
    this.#from = typeof query.cursor === 'string' ? readCursor(query.cursor) : null;
    this.#until = performance.now() + (query.mostMs ?? Number.POSITIVE_INFINITY);
    this.#bounds = query.run === undefined ? BY_PAGES : BY_HEADS;
  }

  async page(): Promise<HistoryPage> {
    const keepFromMs = Math.max((await this.blocks.nowMs()) - this.blocks.bounds.ageMs, this.query.sinceMs ?? 0);
    await this.#begin();
    const runs: PastRun[] = [];
    for (;;) {
      const newest = this.#newest();
      if (newest === undefined || newest.latestMs < keepFromMs) return this.#answer(runs, null);
      if (runs.length === this.query.limit) return this.#answer(runs, runs.at(-1) ?? null);
      if (newest.kind === 'runs') this.#take(newest, runs);
      else if (newest.kind === 'chain') await this.#goOn(newest);
      else if (this.#goesOn) await this.#readPages();
      // Just before the first that was not looked at.
      else return this.#answer(runs, { atMs: newest.latestMs + 1, target: '', run: '' });
    }
  }

  /** Whether more pages may be read. */
  get #goesOn(): boolean {
    if (this.#looked < ALWAYS) return true;
    return this.#pages < this.#bounds.most && performance.now() < this.#until;
  }

  #answer(runs: PastRun[], cursor: Cursor | null): HistoryPage {
    return { runs, cursor: cursor === null ? null : writeCursor(cursor), damaged: this.#damaged };
  }

  async #begin(): Promise<void> {
    const { target } = this.query;
    const open = (await readAllOpen(this.blocks, target)).map(({ run }) => run);
    // What goes on is newer than whatever ended.
    const placed = open.map((run) => (run.state === 'ended' ? run : { ...run, atMs: Number.MAX_SAFE_INTEGER }));
    for (const run of placed) this.#addRuns([JSON.stringify(run)]);
    const targets = target === undefined ? await this.blocks.targets() : [target];
    const chains = targets.flatMap((one) => chainsFor(this.query).map((chain) => chainName(one, chain)));
    const upTo = this.#from === null ? '' : instantOf(this.#from.atMs);
    const found = await this.blocks.last(
      chains.map((from) => ({ from, ...(upTo === '' ? {} : { upTo: from + upTo }) })),
      FIRST_NAMES,
    );
    for (const [i, listed] of found.entries()) this.#addPages(chains[i] as string, listed, FIRST_NAMES);
  }

  #addPages(chain: string, listed: readonly Listed[], asked: number): void {
    for (const { name, atMs } of listed)
      this.#sources.push({ kind: 'page', name, atMs, latestMs: this.#bounded(atMs) });
    const oldest = listed.at(-1);
    if (oldest === undefined || listed.length < asked) return;
    const latestMs = this.#bounded(firstOf(oldest.name) + OVERLAP_MS);
    this.#sources.push({ kind: 'chain', name: chain, before: oldest.name, latestMs });
  }

  #bounded(latestMs: number): number {
    return Math.min(latestMs, this.#from?.atMs ?? Number.POSITIVE_INFINITY);
  }

  /** Adds the newest of these runs that is asked for and does not stand before the cursor, with those before it. */
  #addRuns(lines: string[]): void {
    const { run: id, trigger } = this.query;
    const from = this.#from;
    try {
      for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
        // To read a line takes ten times as long as to search it.
        if (id !== undefined && !line.includes(JSON.stringify(id))) continue;
        if (trigger !== undefined && !line.includes(`"${trigger}"`)) continue;
        const run = parseRun(line);
        if (!isAsked(run, this.query) || (from !== null && compare(run, from) >= 0)) continue;
        this.#sources.push({ kind: 'runs', run, lines, latestMs: run.atMs });
        return;
      }
    } catch (error) {
      this.#tellOf(error);
    }
  }

  /** Where the next run is to be looked for; runs that are known come after pages that may hold one of the same instant. */
  #newest(): Source | undefined {
    let newest: Source | undefined;
    for (const source of this.#sources) if (newest === undefined || isBefore(source, newest)) newest = source;
    return newest;
  }

  #remove(source: Source): void {
    this.#sources.splice(this.#sources.indexOf(source), 1);
  }

  #take(source: Source & { kind: 'runs' }, runs: PastRun[]): void {
    this.#remove(source);
    runs.push(source.run);
    this.#addRuns(source.lines);
  }

  async #goOn(source: Source & { kind: 'chain' }): Promise<void> {
    this.#remove(source);
    const { names } = this.#bounds;
    this.#addPages(source.name, await this.blocks.before(source.before, source.name, names), names);
  }

  /** Reads the pages that come next. */
  async #readPages(): Promise<void> {
    const pages = this.#sources
      .filter((source) => source.kind === 'page')
      .sort((a, b) => b.latestMs - a.latestMs)
      .slice(0, this.#bounds.atOnce);
    const taken = new Set<Source>(pages);
    this.#sources = this.#sources.filter((source) => !taken.has(source));
    const unread = pages.filter(({ name, atMs }) => {
      const lines = this.kept.get(name, atMs);
      if (lines !== undefined) this.#addRuns([...lines]);
      return lines === undefined;
    });
    this.#pages += unread.length;
    this.#looked += pages.length;
    const likely = await this.#likely(unread);
    const reading: Promise<void>[] = [];
    let at = 0;
    for await (const sealed of this.blocks.read(likely.map(({ name }) => name))) {
      const page = likely[at++];
      // One that is gone meanwhile was the oldest.
      if (sealed !== null && page !== undefined) reading.push(this.#readPage(page, sealed));
    }
    await Promise.all(reading);
  }

  /** Of these pages those in which the run may stand that is asked for, or all. */
  async #likely<P extends { readonly name: string }>(pages: readonly P[]): Promise<readonly P[]> {
    const { run } = this.query;
    if (run === undefined) return pages;
    const likely: P[] = [];
    const names = pages.map(({ name }) => name);
    let at = 0;
    for await (const head of this.blocks.heads(names, PAGE_HEAD_BYTES)) {
      const page = pages[at++];
      if (page !== undefined && mayHoldRun(head, run)) likely.push(page);
    }
    return likely;
  }

  async #readPage({ name }: Source & { kind: 'page' }, sealed: Buffer): Promise<void> {
    try {
      const page = await readPage(sealed);
      const last = lastOf(page);
      // By what is in it: somebody may have added to it since its name was read.
      if (last !== null) this.kept.keep(name, last.atMs, page.lines);
      this.#addRuns([...page.lines]);
    } catch (error) {
      this.#tellOf(error);
    }
  }

  #tellOf(error: unknown): void {
    if (!(error instanceof DamagedBlock)) throw error;
    this.#damaged++;
  }
}

function isBefore(a: Source, b: Source): boolean {
  if (a.latestMs !== b.latestMs) return a.latestMs > b.latestMs;
  if (a.kind !== 'runs' || b.kind !== 'runs') return a.kind !== 'runs';
  return compare(a.run, b.run) > 0;
}
