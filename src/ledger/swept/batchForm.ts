/** batch form: how coordinators that a run swept stand in Redis, some two thousand together.
 *
 *      version · length of the filter · the filter · lengths of the parts, checksum of meta · meta · who · fates · names
 *
 *  meta    run, target, by whom, when, the names of the families: JSON
 *  who     ids, swarms, beats, silence: columns, compressed; written before anything is removed, and never changed
 *  fates   what became of each, compressed; empty until it is known
 *  names   the keys of each, compressed; empty unless they are to be kept
 *
 * With `coordinator-N` one takes 9 to 11 bytes, the filter and all the rest included.
 */
import type { Trigger } from '../../domain/report.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import type { Shape } from '../block/form.ts';
import { seal, unseal, VERSION_BYTES } from '../sealed.ts';
import type { FilterPlace } from '../../redis/filters.ts';

/** More of them stand together, but who is killed meanwhile does not know of so many what became of them. */
export const MOST_ROWS = 2_000;
/** Columns of numbers of a row: the second of the last beat, its ms (or `NO_BEAT`), and the second when silence was judged. */
export const SHAPE: Shape = { format: 2, numbers: 3, mostRows: MOST_ROWS, mostBytes: 1024 * 1024 };
/** In the place of milliseconds: when it last beat is not known, and silence counts from 0. */
export const NO_BEAT = 1_000;
/** No part is longer once it is decompressed: names of keys, mostly. */
export const MOST_PART_BYTES = 64 * 1024 * 1024;

/** What became of each, in the order of `who`: the fate, and for how many one after the other it is the same. From `SWEPT` on: swept, with the counts of that place. */
export const FATE = { unknown: 0, kept: 1, swept: 2 } as const;

export interface BatchMeta {
  readonly run: string;
  readonly target: string;
  /** Which one was meant by that name; left out by older versions, and where nobody said. */
  readonly fingerprint?: string;
  readonly trigger: Trigger;
  readonly by: string | null;
  /** When the run began, in ms. */
  readonly startedAtMs: number;
  /** When this batch was written ahead of the removal, in ms. */
  readonly atMs: number;
  readonly families: readonly string[];
  /** How long what was removed stays in the trash, in ms; left out: it was removed for good. */
  readonly trashMs?: number;
}

export interface BatchParts {
  readonly filter: Uint8Array;
  readonly meta: BatchMeta;
  readonly who: Uint8Array;
  readonly fates: Uint8Array;
  readonly names: Uint8Array;
}

/** The length of the filter, then of the parts behind it. */
const LENGTHS_BYTES = 4;
const FILTER_FROM = VERSION_BYTES + LENGTHS_BYTES;
const PARTS = ['meta', 'who', 'fates', 'names'] as const;
/** Of a filter, for each id. Older versions gave it one. */
const BYTES_PER_ID = 2;
/** In a shorter one the bits of an id fall together too often. A small batch takes half a kilobyte anyway. */
const LEAST_FILTER_BYTES = 64;
/** Where Redis finds the filter of a batch. */
export const FILTER_PLACE: FilterPlace = { before: VERSION_BYTES, mostBytes: MOST_ROWS * BYTES_PER_ID };

/** An empty filter for so many ids. */
export function filterFor(ids: number): Uint8Array {
  return new Uint8Array(Math.max(LEAST_FILTER_BYTES, ids * BYTES_PER_ID));
}

/** FNV-1a, 32 bits. The other parts have checksums of their own, and a filter that is altered finds less or more. */
function checksumOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) sum = Math.imul(sum ^ (bytes[at] as number), 0x0100_0193);
  return sum >>> 0;
}

export function joinParts({ filter, meta, who, fates, names }: BatchParts): Buffer {
  const parts = [Buffer.from(JSON.stringify(meta)), who, fates, names] as const;
  const numbers = [filter.length, ...parts.map(({ length }) => length), checksumOf(parts[0])];
  const [length, ...lengths] = numbers.map((number) => {
    const bytes = Buffer.alloc(LENGTHS_BYTES);
    bytes.writeUInt32LE(number);
    return bytes;
  }) as [Buffer, ...Buffer[]];
  return seal([length, filter, ...lengths, ...parts]);
}

/** The filter in the head of a batch; an empty one, in which nobody is, when it is none. */
function filterIn(head: Buffer): Uint8Array {
  const length = head.length < FILTER_FROM ? 0 : head.readUInt32LE(VERSION_BYTES);
  return FILTER_FROM + length > head.length ? new Uint8Array(0) : head.subarray(FILTER_FROM, FILTER_FROM + length);
}

/** Throws `DamagedBlock` when it is not a whole batch. */
export function splitParts(sealed: Buffer): BatchParts {
  const all = unseal(sealed);
  const filter = filterIn(sealed);
  let from = LENGTHS_BYTES + filter.length;
  if (from + (PARTS.length + 1) * LENGTHS_BYTES > all.length) throw new DamagedBlock('a batch is cut off');
  const lengths = PARTS.map((_, i) => all.readUInt32LE(from + i * LENGTHS_BYTES));
  from += PARTS.length * LENGTHS_BYTES;
  const checksum = all.readUInt32LE(from);
  from += LENGTHS_BYTES;
  if (from + lengths.reduce((sum, length) => sum + length, 0) !== all.length) {
    throw new DamagedBlock('a batch has another length than its parts');
  }
  const [meta, who, fates, names] = lengths.map((length) => {
    from += length;
    return all.subarray(from - length, from);
  }) as [Buffer, Buffer, Buffer, Buffer];
  if (checksumOf(meta) !== checksum) throw new DamagedBlock('a batch does not say whose it is');
  return { filter, meta: metaIn(meta), who, fates, names };
}

function metaIn(bytes: Buffer): BatchMeta {
  try {
    const meta = JSON.parse(bytes.toString()) as BatchMeta;
    if (typeof meta.run === 'string' && typeof meta.atMs === 'number' && Array.isArray(meta.families)) return meta;
  } catch (error) {
    throw new DamagedBlock('a batch does not say whose it is', { cause: error });
  }
  throw new DamagedBlock('a batch does not say whose it is');
}
