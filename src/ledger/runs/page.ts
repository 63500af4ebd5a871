/** page: some runs that ended one after the other, compressed, behind a filter of their ids. With usual reports a run takes some 60 bytes. */
import { compressWell, decompress, seal, unseal, VERSION_BYTES } from '../sealed.ts';
import type { FilterQuestion } from '../../redis/holding.ts';
import { addId, bitsOf, mayHold } from '../swept/filter.ts';
import { type PastRun, parseRun } from './pastRun.ts';

/** The more stand together, the less each takes; but to read one, all of them are read: 0.5 ms. */
export const MOST_RUNS = 100;
/** What a page may hold before it is compressed. One run may always stand in it, cut to its half. */
const MOST_BYTES = 1024 * 1024;

/** Eight bits for each run; as many for a page of one: it will be full soon. */
const FILTER_BYTES = MOST_RUNS;
/** Says that a filter follows. Pages of older versions have none, and begin as all that zlib compresses does: with another byte. */
const HAS_FILTER = FILTER_BYTES;
/** What tells whether a run may stand in a page. */
export const PAGE_HEAD_BYTES = VERSION_BYTES + 1 + FILTER_BYTES;

/** A page as it was read: a line of JSON for each run, the oldest first. */
export interface Page {
  /** As it stands in Redis; empty when there is none yet. */
  readonly sealed: Buffer;
  readonly lines: readonly string[];
}

export const NO_PAGE: Page = { sealed: Buffer.alloc(0), lines: [] };

/** Reads a page; rejects with `DamagedBlock`. */
export async function readPage(sealed: Buffer): Promise<Page> {
  return { sealed, lines: (await textOfPage(sealed)).toString().split('\n') };
}

/** The lines of a page, the oldest first, as they stand there; rejects with `DamagedBlock`. */
export async function textOfPage(sealed: Buffer): Promise<Buffer> {
  const bytes = unseal(sealed);
  return await decompress(bytes.subarray(filterIn(bytes) === null ? 0 : 1 + FILTER_BYTES), 2 * MOST_BYTES);
}

export async function writePage(lines: readonly string[]): Promise<Buffer> {
  const filter = new Uint8Array(FILTER_BYTES);
  for (const line of lines) {
    const id = Buffer.from(idIn(line));
    addId(filter, id, 0, id.length);
  }
  return seal([Uint8Array.of(HAS_FILTER), filter, await compressWell(lines.join('\n'))]);
}

/** Whether a run may stand in a page, by its first `PAGE_HEAD_BYTES`; `false` is certain. */
export function mayHoldRun(head: Buffer, run: string): boolean {
  const filter = filterIn(head.subarray(VERSION_BYTES));
  return filter === null || mayHold(filter, Buffer.from(run));
}

/** What pages are asked that may hold a run. */
export function questionFor(run: string): FilterQuestion {
  const bits = bitsOf(Buffer.from(run), FILTER_BYTES * 8);
  return { before: VERSION_BYTES + 1, marker: HAS_FILTER, bytes: FILTER_BYTES, bits };
}

function filterIn(bytes: Buffer): Uint8Array | null {
  return bytes[0] === HAS_FILTER ? bytes.subarray(1, 1 + FILTER_BYTES) : null;
}

/** The run's own id: its report, which has it too, and whatever people wrote, come after. */
function idIn(line: string): string {
  const [, id = '""'] = /"run":("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
  return JSON.parse(id) as string;
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
