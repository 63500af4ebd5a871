/** lookup: which runs swept a coordinator, when, by whom, and on what grounds. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Listed } from '../ages.ts';
import type { Blocks } from '../blocks.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { sweptName } from '../runs/names.ts';
import type { BatchMeta } from './batchForm.ts';
import { KeptFilters } from './keptFilters.ts';
import { KnownBatches } from './knownBatches.ts';
import { type BatchRow, type ReadBatch, readBatch } from './readBatch.ts';

/** Names of batches for each call. */
const NAMES_AT_ONCE = 256;

export interface SweptQuery {
  /** Left out: in all targets. */
  readonly target?: string;
  /** Which batches are asked for: several deployments may call different targets alike. Left out: all. */
  readonly isOurs?: (batch: Pick<BatchMeta, 'target' | 'fingerprint'>) => boolean;
  /** How many at most, at least 1. */
  readonly limit: number;
}

/** Once that a run swept a coordinator, or was about to when it failed or its process ended. */
export interface SweptOnce extends BatchRow {
  readonly batch: BatchMeta;
}

export interface Found {
  /** Newest first. */
  readonly swept: readonly SweptOnce[];
  /** How many batches in which it may stand could not be read, since they were damaged. */
  readonly damaged: number;
}

/** What was heard of the ledger by whoever asked before. */
export class KnownSwept {
  readonly batches = new KnownBatches();
  readonly filters = new KeptFilters();
  #prepared: Promise<void> | null = null;

  /**
   * Hears beforehand what the first question would have to wait for; once, unless that fails. It rests as long as it works, so that it
   * keeps nobody else waiting. Rejects as `Blocks` do.
   */
  async prepare(blocks: Blocks): Promise<void> {
    this.#prepared ??= this.#hear(blocks).catch((error: unknown) => {
      this.#prepared = null;
      throw error;
    });
    await this.#prepared;
  }

  async #hear(blocks: Blocks): Promise<void> {
    for await (const listed of this.batches.last(blocks.ages)) {
      const begunAt = performance.now();
      await this.filters.among(blocks, listed.map(nameOf), []);
      await pause(performance.now() - begunAt, undefined, { ref: false });
    }
  }
}

function nameOf({ name }: Listed): string {
  return name;
}

/**
 * The last times, as far as the ledger knows, that coordinators with one of these ids were swept, whichever swarm they were in; runs
 * that kept them in the end are left out. Looks at the filters of batches, the last written first, until as many are found as asked for,
 * asks Redis for those that are not kept, and reads of the batches those that hold one, and for each id one in 700 more.
 */
export async function findSwept(
  blocks: Blocks,
  known: KnownSwept,
  ids: readonly Uint8Array[],
  query: SweptQuery,
): Promise<Found> {
  const swept: SweptOnce[] = [];
  let damaged = 0;
  if (ids.length === 0) return { swept, damaged };
  const beginning = query.target === undefined ? '' : sweptName(query.target);
  search: for await (const listed of known.batches.last(blocks.ages)) {
    const names = listed.map(nameOf).filter((name) => name.startsWith(beginning));
    for await (const sealed of blocks.read(await known.filters.among(blocks, names, ids))) {
      try {
        const batch = sealed === null ? null : await readBatch(sealed);
        if (batch !== null && query.isOurs?.(batch.meta) !== false) swept.push(...rowsWith(batch, ids));
      } catch (error) {
        if (!(error instanceof DamagedBlock)) throw error;
        damaged++;
      }
      // All in the batches that follow went before.
      if (swept.length >= query.limit) break search;
    }
  }
  swept.sort((a, b) => b.batch.atMs - a.batch.atMs);
  return { swept: swept.slice(0, query.limit), damaged };
}

/** All batches of a run, batch by batch, in the order in which they were written. Rejects with `DamagedBlock`. */
export async function* sweptBy(
  blocks: Blocks,
  run: { readonly target: string; readonly run: string; readonly startedAtMs: number },
): AsyncGenerator<ReadBatch, void, undefined> {
  for await (const sealed of blocks.read(await namesOfRun(blocks, run))) {
    if (sealed !== null) yield await readBatch(sealed);
  }
}

/** The names of all batches of a run, in the order in which they were written. */
export async function namesOfRun(
  blocks: Blocks,
  run: { readonly target: string; readonly run: string; readonly startedAtMs: number },
): Promise<string[]> {
  const all: string[] = [];
  for await (const names of batchNames(blocks, sweptName(run.target, run))) all.push(...names);
  return all.reverse();
}

/** Names of batches, the last first. */
async function* batchNames(blocks: Blocks, from: string): AsyncGenerator<string[], void, undefined> {
  let [listed = []] = await blocks.last([{ from }], NAMES_AT_ONCE);
  while (listed.length > 0) {
    yield listed.map(({ name }) => name);
    const oldest = listed.at(-1)?.name ?? from;
    listed = listed.length < NAMES_AT_ONCE ? [] : await blocks.before(oldest, from, NAMES_AT_ONCE);
  }
}

function rowsWith({ meta, rows }: ReadBatch, ids: readonly Uint8Array[]): SweptOnce[] {
  const found: SweptOnce[] = [];
  for (const row of rows) {
    if (row.fate === 'kept' || !ids.some((id) => Buffer.compare(row.coordinator, id) === 0)) continue;
    const swarm = row.swarm === null ? null : Uint8Array.from(row.swarm);
    const names = row.names === null ? null : row.names.map((name) => Uint8Array.from(name));
    found.push({ ...row, coordinator: Uint8Array.from(row.coordinator), swarm, names, batch: meta });
  }
  return found;
}
