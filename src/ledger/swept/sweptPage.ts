/** swept page: who was swept by a run, a page at a time, so that a run that swept a million is shown as quickly as one that swept ten. */
import { DamagedBlock } from '../block/damagedBlock.ts';
import type { Blocks } from '../blocks.ts';
import type { SweptOnce } from './lookup.ts';
import { namesOfRun } from './lookup.ts';
import { type BatchRow, readBatch } from './readBatch.ts';

/** A place between two rows: how many batches come before it, and how many rows of the next one. */
export interface SweptPlace {
  readonly batch: number;
  readonly row: number;
}

export interface SweptPageQuery {
  readonly run: { readonly target: string; readonly run: string; readonly startedAtMs: number };
  /** Where the page before ended; left out: from the first. */
  readonly from?: SweptPlace | undefined;
  /** Rows at most, at least 1. */
  readonly limit: number;
  /** Only ids in which these bytes stand. */
  readonly part?: Buffer | undefined;
  /** It looks for no longer than about this, in ms, and says where to go on. */
  readonly mostMs: number;
}

export interface SweptPage {
  readonly rows: readonly SweptOnce[];
  /** Where the next page begins; `null`: there are no more. */
  readonly next: SweptPlace | null;
  /** How many batches could not be read, since they were damaged. */
  readonly damaged: number;
}

function copyOf(row: BatchRow): Omit<SweptOnce, 'batch'> {
  const { coordinator, swarm } = row;
  return { ...row, coordinator: Uint8Array.from(coordinator), swarm: swarm && Uint8Array.from(swarm), names: null };
}

/** In the order in which they were swept; who was kept in the end is left out. Rejects as `Blocks` do. */
export async function sweptPage(blocks: Blocks, query: SweptPageQuery): Promise<SweptPage> {
  const { run, from = { batch: 0, row: 0 }, limit, part, mostMs } = query;
  const names = await namesOfRun(blocks, run);
  const until = performance.now() + mostMs;
  const rows: SweptOnce[] = [];
  let batch = from.batch - 1;
  let damaged = 0;
  for await (const sealed of blocks.read(names.slice(from.batch))) {
    batch++;
    if (rows.length > 0 || batch > from.batch) {
      if (performance.now() >= until) return { rows, next: { batch, row: 0 }, damaged };
    }
    if (sealed === null) continue;
    try {
      const { meta, rows: all } = await readBatch(sealed);
      let row = -1;
      for (const one of all) {
        row++;
        if ((batch === from.batch && row < from.row) || one.fate === 'kept') continue;
        if (part !== undefined && !Buffer.from(one.coordinator).includes(part)) continue;
        if (rows.length === limit) return { rows, next: { batch, row }, damaged };
        rows.push({ ...copyOf(one), batch: meta });
      }
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
      damaged++;
    }
  }
  return { rows, next: null, damaged };
}
