/** batch: coordinators that a run is about to sweep, and what becomes of each.
 *
 *      rows ──▶ close: `who`, filter, keys' names ──▶ written ahead ──▶ swept, swept … ──▶ fates ──▶ written again
 */
import { nameBytesIn, namesWithin } from '../../domain/names.ts';
import { Encoder } from '../block/encode.ts';
import { ColumnWriter, TextWriter } from '../block/columnWriter.ts';
import { NO_ROOM, OpenBlock } from '../block/openBlock.ts';
import { Fingerprinter } from '../../store/fingerprints.ts';
import { FingerprintMap } from '../../store/fingerprintTables.ts';
import { compress } from '../sealed.ts';
import { type BatchMeta, FATE, filterFor, joinParts, MOST_ROWS, NO_BEAT, SHAPE } from './batchForm.ts';
import { addId } from './filter.ts';

/** A coordinator that a run is about to sweep. */
export interface Going {
  readonly coordinator: Uint8Array;
  /** `null` where heartbeats name none. */
  readonly swarm: Uint8Array | null;
  /** Its last beat, in whole ms since the epoch; `null` when that is not known. */
  readonly beatMs: number | null;
  /** As it was judged: whole seconds, at least 0. */
  readonly silenceSeconds: number;
  /** The names of what is to be removed; copied. */
  readonly names?: readonly Uint8Array[];
}

/** The same once it is gone. */
export interface Swept extends Going {
  /** The names of what was removed. */
  readonly names?: readonly Uint8Array[];
  /** How many things were removed, family by family; `null` where Redis did not tell how many of whose. Must not change any more. */
  readonly keysByFamily: readonly (number | null)[];
}

/** Counts are written as one more than they are. */
const UNTOLD = -1;
const NOTHING: Uint8Array = new Uint8Array(0);

/** What all batches of a run share: it is filled by one batch at a time. */
export class BatchRoom {
  readonly open = new OpenBlock(SHAPE);
  readonly encoder = new Encoder(SHAPE);
  readonly prints = new Fingerprinter();
  readonly columns = [new ColumnWriter(), new ColumnWriter(), new ColumnWriter(), new ColumnWriter()] as const;

  /** Puts the fingerprint of a coordinator in its swarm into `prints`. */
  take({ coordinator, swarm }: Going): void {
    this.prints.take(coordinator, 0, coordinator.length);
    if (swarm !== null) this.prints.takeFurther(swarm, 0, swarm.length);
  }
}

export class Batch {
  count = 0;
  /** How many of them are not known to be swept. */
  left = 0;
  /** By row, the row that came first counted as 1. */
  readonly #rows = new FingerprintMap(MOST_ROWS);
  /** Whether the fate of any of them is. */
  #known = false;
  readonly #fates = new Uint32Array(MOST_ROWS);
  /** The rows in the order in which they were written. */
  #order = new Uint16Array(0);
  /** Of each row, those that are to be removed; once it is written ahead, those that were. */
  #names: (readonly Uint8Array[])[] = [];
  #nameBytes = 0;
  #isClosed = false;
  #hasNames = false;
  /** Whether the names are known of what was removed of each. */
  #namesAreFinal = false;
  readonly #counts: (readonly (number | null)[])[] = [];
  readonly #placeOfCounts = new Map<string, number>();
  readonly #placeOfArray = new WeakMap<Swept['keysByFamily'], number>();
  #parts: { filter: Uint8Array; who: Uint8Array; names: Uint8Array | Promise<Uint8Array> } = {
    filter: NOTHING,
    who: NOTHING,
    names: NOTHING,
  };

  /** @param mostNameBytes what the names of keys may take in all, before they are compressed; 0: they are not kept */
  constructor(
    private readonly room: BatchRoom,
    private readonly mostNameBytes: number,
  ) {}

  /**
   * Copies a row whose fingerprint was taken last; `false` when there is no room for it, or it has come already. The batch must
   * be the room's latest.
   */
  add({ coordinator, swarm, beatMs, silenceSeconds, names = [] }: Going): boolean {
    const { open, prints } = this.room;
    if (this.#rows.get(prints.high, prints.low) !== 0) return false;
    const kept = this.#namesOf(names);
    // One that does not fit any batch stands in one of its own with as many of them as do.
    if (kept.length < names.length && this.mostNameBytes > 0 && this.count > 0) return false;
    const row = open.add(coordinator, 0, coordinator.length, swarm, 0, swarm?.length ?? 0);
    if (row === NO_ROOM) return false;
    const second = beatMs === null ? 0 : Math.floor(Math.max(0, beatMs) / 1000);
    const [seconds, millis, judged] = open.numbers as [Float64Array, Float64Array, Float64Array];
    seconds[row] = second;
    millis[row] = beatMs === null ? NO_BEAT : Math.floor(Math.max(0, beatMs)) % 1000;
    judged[row] = second + Math.max(0, Math.floor(silenceSeconds));
    this.#keepNames(row, kept);
    this.#rows.add(prints.high, prints.low, row + 1);
    this.count++;
    this.left++;
    return true;
  }

  /** Notes that the one whose fingerprint was taken last was swept; `false` when it is not one of them. */
  sweep({ keysByFamily, names = [] }: Swept): boolean {
    const row = this.#rows.get(this.room.prints.high, this.room.prints.low) - 1;
    if (row < 0) return false;
    if (this.#fates[row] === FATE.unknown) this.left--;
    if (this.#isClosed) this.#keepNames(row, this.#namesOf(names));
    this.#fates[row] = FATE.swept + this.#placeOf(keysByFamily);
    this.#known = true;
    return true;
  }

  /** Whoever is not known to be swept was kept. */
  keepOthers(): void {
    for (let row = 0; row < this.count; row++) if (this.#fates[row] === FATE.unknown) this.#fates[row] = FATE.kept;
    this.#known = true;
    this.left = 0;
  }

  /** Makes room for the next batch; no row may be added after. Resolves once it can be written. */
  async close(): Promise<void> {
    const { open, encoder } = this.room;
    const filter = filterFor(this.count);
    for (let row = 0; row < this.count; row++) {
      addId(filter, open.bytes, open.idFrom[row] as number, open.idTo[row] as number);
    }
    const who = encoder.encode(open);
    this.#order = new Uint16Array(this.count);
    for (let i = 0; i < this.count; i++) this.#order[i] = encoder.order.at(i);
    open.clear();
    const names = this.#names.length === 0 ? NOTHING : compress(this.#takeNames());
    this.#hasNames = names !== NOTHING;
    this.#isClosed = true;
    this.#namesAreFinal = this.left === 0;
    const [whoPart, namesPart] = await Promise.all([compress(who), names]);
    this.#parts = { filter, who: whoPart, names: namesPart };
  }

  /** Copies of those for which there is room. */
  #namesOf(names: readonly Uint8Array[]): readonly Uint8Array[] {
    return names.length === 0 ? names : namesWithin(names, this.mostNameBytes - this.#nameBytes);
  }

  #keepNames(row: number, names: readonly Uint8Array[]): void {
    if (names.length === 0) return;
    this.#names[row] = names;
    this.#nameBytes += nameBytesIn(names);
  }

  /** All names, which are let go. */
  #takeNames(): Uint8Array {
    const names = this.#encodeNames();
    this.#names = [];
    this.#nameBytes = 0;
    return names;
  }

  /** The batch as it is written: after it was closed, and again whenever more is known. */
  async encode(meta: BatchMeta): Promise<Buffer> {
    const fates = this.#known ? await compress(this.#encodeFates()) : NOTHING;
    // As long as it is not known what became of all, the names are those that are to be removed.
    if (this.left === 0 && !this.#namesAreFinal && (this.#hasNames || this.#names.length > 0)) {
      this.#namesAreFinal = true;
      this.#parts.names = compress(this.#takeNames());
    }
    return joinParts({ ...this.#parts, names: await this.#parts.names, meta, fates });
  }

  #placeOf(counts: Swept['keysByFamily']): number {
    // Those of one call that are alike are mostly the same array.
    let place = this.#placeOfArray.get(counts);
    if (place === undefined) {
      place = this.#newPlaceOf(counts);
      this.#placeOfArray.set(counts, place);
    }
    return place;
  }

  #newPlaceOf(counts: Swept['keysByFamily']): number {
    const key = counts.join();
    const known = this.#placeOfCounts.get(key);
    if (known !== undefined) return known;
    this.#placeOfCounts.set(key, this.#counts.length);
    this.#counts.push([...counts]);
    return this.#counts.length - 1;
  }

  /** How many different counts there are, how many families, the counts; then fates, and for how many each is the same. */
  #encodeFates(): Uint8Array {
    const column = this.room.columns[0];
    column.clear();
    const families = Math.max(0, ...this.#counts.map(({ length }) => length));
    column.number(this.#counts.length);
    column.number(families);
    for (const counts of this.#counts) for (let i = 0; i < families; i++) column.number((counts[i] ?? UNTOLD) + 1);
    for (let at = 0, same = 0; at < this.count; at += same) {
      const fate = this.#fateAt(at);
      same = 1;
      while (at + same < this.count && this.#fateAt(at + same) === fate) same++;
      column.number(fate);
      column.number(same);
    }
    return column.bytes.slice();
  }

  #fateAt(at: number): number {
    return this.#fates[this.#order[at] as number] as number;
  }

  /** The lengths of four columns, how many names each row has, then the names. */
  #encodeNames(): Uint8Array {
    const [counts, longer, same, rest] = this.room.columns;
    for (const column of this.room.columns) column.clear();
    const texts = new TextWriter(longer, same, rest);
    const inOrder = Array.from(this.#order, (row) => this.#names[row] ?? []);
    // One buffer for all of them, since each is compared with the one before.
    const all = Buffer.concat(inOrder.flat());
    let from = 0;
    for (const names of inOrder) {
      counts.number(names.length);
      for (const { length } of names) {
        texts.text(all, from, from + length);
        from += length;
      }
    }
    const head = new ColumnWriter();
    for (const column of this.room.columns) head.number(column.length);
    return Buffer.concat([head.bytes, ...this.room.columns.map(({ bytes }) => bytes)]);
  }
}
