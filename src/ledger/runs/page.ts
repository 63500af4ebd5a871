/** page: some runs that ended one after the other, compressed. With usual reports a run takes some 60 bytes. */
import { compressWell, decompress, seal, unseal } from '../sealed.ts';
import { type PastRun, parseRun } from './pastRun.ts';

/** The more stand together, the less each takes; but to read one, all of them are read: 0.5 ms. */
export const MOST_RUNS = 100;
/** What a page may hold before it is compressed. One run may always stand in it, cut to its half. */
const MOST_BYTES = 1024 * 1024;

/** A page as it was read: a line of JSON for each run, the oldest first. */
export interface Page {
  /** As it stands in Redis; empty when there is none yet. */
  readonly sealed: Buffer;
  readonly lines: readonly string[];
}

export const NO_PAGE: Page = { sealed: Buffer.alloc(0), lines: [] };

/** Reads a page; rejects with `DamagedBlock`. */
export async function readPage(sealed: Buffer): Promise<Page> {
  const text = (await decompress(unseal(sealed), 2 * MOST_BYTES)).toString();
  return { sealed, lines: text.split('\n') };
}

export async function writePage(lines: readonly string[]): Promise<Buffer> {
  return seal([await compressWell(lines.join('\n'))]);
}

/** Whether one more run still belongs to this page. */
export function hasRoom({ lines }: Page, line: string): boolean {
  const bytes = lines.reduce((sum, one) => sum + one.length, 0);
  return lines.length > 0 && lines.length < MOST_RUNS && bytes + line.length < MOST_BYTES / 2;
}

/** A run in one line. A report with too many long names in its samples is kept without them. */
export function lineOf(run: PastRun): string {
  const line = JSON.stringify(run);
  if (line.length < MOST_BYTES / 4 || run.report === null) return line;
  const unreadable = run.report.unreadable.map((group) => ({ ...group, sample: [] }));
  return JSON.stringify({ ...run, report: { ...run.report, unreadable } });
}

/** The last run of a page; `null` when there is none. Throws `DamagedBlock`. */
export function lastOf({ lines }: Page): PastRun | null {
  const line = lines.at(-1);
  return line === undefined ? null : parseRun(line);
}
