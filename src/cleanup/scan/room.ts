/** room: what a walk lets go of where memory is short (P9). */
import { Failure } from '../../domain/failure.ts';
import type { Run } from '../context.ts';

/** The share of the memory budget that records may take; the rest is for cutting them, and for keys. */
const RECORDS_SHARE = 1 / 2;

/** Where so much of the budget is taken, what is held is made smaller: else that would cost time for nothing. */
const TIGHT_FROM_SHARE = 1 / 4;

/** So much is always there for the fingerprints of those who live: 100,000 of them. */
const LEAST_PRINT_BYTES = 1024 * 1024;

/** Whether all that is held fits the memory budget; where it might not for long, more is held in less. */
export function hasRoom({ store, keys, memoryBudgetBytes }: Run): boolean {
  const bytes = store.bytes + keys.bytes;
  if (bytes > memoryBudgetBytes * TIGHT_FROM_SHARE) {
    store.isTight = true;
    keys.pack();
  }
  return bytes <= memoryBudgetBytes;
}

/**
 * Lets go of what does not fit the memory budget: keys first, then, of the records, those of later partitions. Whether the
 * keys are still held.
 * @param first whether the run has not been cut into partitions for good
 */
export async function makeRoom(run: Run, first: boolean): Promise<boolean> {
  const { store, keys, memoryBudgetBytes } = run;
  if (hasRoom(run)) return true;
  keys.clear();
  while (first && store.recordBytes > memoryBudgetBytes * RECORDS_SHARE && store.idCount > 1) {
    const before = store.idCount;
    await store.split();
    if (store.idCount === before) break;
  }
  const printBytes = store.bytes - store.recordBytes;
  if (printBytes > Math.max(memoryBudgetBytes, LEAST_PRINT_BYTES)) {
    const needed = Math.ceil((2 * printBytes) / 1_000_000);
    throw new Failure('RUN_FAILED', `memoryBudget is too small for so many coordinators; set at least ${needed}MB`);
  }
  return false;
}
