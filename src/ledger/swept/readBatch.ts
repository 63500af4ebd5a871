/** read batch: who was swept, from a batch as it stands in Redis. */
import { ColumnReader, TextReader } from '../block/columnReader.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { decode } from '../block/decode.ts';
import { decompress } from '../sealed.ts';
import { type BatchMeta, FATE, MOST_PART_BYTES, NO_BEAT, SHAPE, splitParts } from './batchForm.ts';

/** What became of a coordinator: `unknown` when the process ended before it could tell. */
export type Fate = 'swept' | 'kept' | 'unknown';

/** A coordinator in a batch. Its bytes, names too, hold until the next one is read. */
export interface BatchRow {
  readonly coordinator: Uint8Array;
  readonly swarm: Uint8Array | null;
  readonly beatMs: number | null;
  readonly silenceSeconds: number;
  readonly fate: Fate;
  /** In the order of the batch's families, `null` where Redis did not tell; `null` altogether unless it was swept. */
  readonly keysByFamily: readonly (number | null)[] | null;
  /**
   * The names of what was removed of it, of one whose fate is `unknown` of what was to be removed, as many as there was room for;
   * `null` when names were not kept.
   */
  readonly names: readonly Uint8Array[] | null;
}

export interface ReadBatch {
  readonly meta: BatchMeta;
  readonly rows: Iterable<BatchRow>;
}

/** A key has no longer name, and those of one coordinator together take no more. */
const MOST_NAME_BYTES = 1024 * 1024;
const MOST_COUNTS = 2 ** 20;

/** Reads a batch; rejects with `DamagedBlock`, which reading its rows may throw as well. */
export async function readBatch(sealed: Buffer): Promise<ReadBatch> {
  const parts = splitParts(sealed);
  const [who, fates, names] = await Promise.all([
    decompress(parts.who, MOST_PART_BYTES),
    parts.fates.length === 0 ? null : decompress(parts.fates, MOST_PART_BYTES),
    parts.names.length === 0 ? null : decompress(parts.names, MOST_PART_BYTES),
  ]);
  return { meta: parts.meta, rows: rowsOf(who, fates, names) };
}

function* rowsOf(who: Buffer, fates: Buffer | null, names: Buffer | null): Generator<BatchRow, void, undefined> {
  const fate = fates === null ? () => UNKNOWN : fatesOf(fates);
  const keys = names === null ? () => null : namesOf(names);
  const rowOf = (coordinator: Uint8Array, swarm: Uint8Array | null, numbers: Float64Array): BatchRow => {
    const [second = 0, millis = 0, judged = 0] = numbers;
    if (judged < second) throw new DamagedBlock('a silence is below zero');
    const beatMs = millis === NO_BEAT ? null : second * 1000 + millis;
    return { coordinator, swarm, beatMs, silenceSeconds: judged - second, ...fate(), names: keys() };
  };
  yield* decode(who, SHAPE, rowOf);
}

type Fated = Pick<BatchRow, 'fate' | 'keysByFamily'>;
const UNKNOWN: Fated = { fate: 'unknown', keysByFamily: null };
const KEPT: Fated = { fate: 'kept', keysByFamily: null };

function fatesOf(bytes: Buffer): () => Fated {
  const column = new ColumnReader(bytes, 0, bytes.length);
  const count = column.number();
  const families = column.number();
  if (count * families > MOST_COUNTS) throw new DamagedBlock('too many counts');
  const swept = Array.from({ length: count }, (): Fated => {
    return { fate: 'swept', keysByFamily: Array.from({ length: families }, () => countIn(column)) };
  });
  let fate = 0;
  let same = 0;
  return () => {
    if (same === 0) {
      fate = column.number();
      same = column.number();
      if (same === 0) throw new DamagedBlock('a fate of nobody');
    }
    same--;
    if (fate === FATE.unknown) return UNKNOWN;
    if (fate === FATE.kept) return KEPT;
    const one = swept[fate - FATE.swept];
    if (one === undefined) throw new DamagedBlock('counts never came');
    return one;
  };
}

function countIn(column: ColumnReader): number | null {
  const written = column.number();
  return written === 0 ? null : written - 1;
}

function namesOf(bytes: Buffer): () => readonly Uint8Array[] {
  const head = new ColumnReader(bytes, 0, bytes.length);
  const lengths = [head.number(), head.number(), head.number(), head.number()];
  let from = head.at;
  const [counts, longer, same, rest] = lengths.map((length) => {
    from += length;
    return new ColumnReader(bytes, from - length, length);
  }) as [ColumnReader, ColumnReader, ColumnReader, ColumnReader];
  const texts = new TextReader(longer, same, rest, MOST_NAME_BYTES);
  return () => {
    const count = counts.number();
    const names: Uint8Array[] = [];
    let all = 0;
    for (let i = 0; i < count; i++) {
      texts.next();
      all += texts.length;
      if (all > MOST_PART_BYTES) throw new DamagedBlock('the names are too long');
      names.push(texts.scratch.bytes.slice(0, texts.length));
    }
    return names;
  };
}
