/** decode: reads a block that was decompressed, in the form that `form` tells. */
import { Scratch } from '../../store/scratch.ts';
import { ColumnReader, TextReader } from './columnReader.ts';
import { DamagedBlock } from './damagedBlock.ts';
import { COLUMNS, type Column, type Shape, SWARM } from './form.ts';

/** The swarms of a block in the order in which they came. */
class Swarms {
  #count = 0;
  /** Where each ends. */
  readonly #ends: number[] = [0];
  readonly #all = new Scratch();
  readonly #chosen = new Scratch();

  constructor(
    private readonly texts: TextReader,
    private readonly mostBytes: number,
  ) {}

  next(): Uint8Array {
    this.texts.next();
    const { length, scratch } = this.texts;
    const from = this.#ends[this.#count] as number;
    if (from + length > this.mostBytes) throw new DamagedBlock('the swarms are too long');
    this.#all.reserve(from + length);
    for (let i = 0; i < length; i++) this.#all.bytes[from + i] = scratch.bytes[i] as number;
    this.#ends[++this.#count] = from + length;
    return scratch.view(length);
  }

  /** The one that came `before` swarms ago. */
  back(before: number): Uint8Array {
    const place = this.#count - before;
    if (place < 1) throw new DamagedBlock('a swarm never came');
    if (before === 0) return this.texts.scratch.view(this.texts.length);
    const from = this.#ends[place - 1] as number;
    const length = (this.#ends[place] as number) - from;
    this.#chosen.reserve(length);
    for (let i = 0; i < length; i++) this.#chosen.bytes[i] = this.#all.bytes[from + i] as number;
    return this.#chosen.view(length);
  }
}

/** The columns, the first of which begins at the end of `head`, which says how long each is. */
function columnsOf(bytes: Uint8Array, head: ColumnReader, count: number): ColumnReader[] {
  const lengths = Array.from({ length: count }, () => head.number());
  let from = head.at;
  return lengths.map((length) => {
    const column = new ColumnReader(bytes, from, length);
    from += length;
    return column;
  });
}

/** Makes a row of what was read; names and numbers hold until the next one is read. */
export type RowOf<T> = (coordinator: Uint8Array, swarm: Uint8Array | null, numbers: Float64Array) => T;

/** The rows, one by one. Throws `DamagedBlock` where there is something else than a block of this shape. */
export function* decode<T>(bytes: Uint8Array, shape: Shape, rowOf: RowOf<T>): Generator<T, void, undefined> {
  const head = new ColumnReader(bytes, 0, bytes.length);
  const format = head.number();
  if (format !== shape.format) {
    throw new DamagedBlock(`format ${format} is not known; this version reads ${shape.format}`);
  }
  const count = head.number();
  const largest = Array.from({ length: shape.numbers }, () => head.number());
  const all = columnsOf(bytes, head, COLUMNS.length + shape.numbers);
  const columns = Object.fromEntries(COLUMNS.map((name, i) => [name, all[i]])) as Record<Column, ColumnReader>;
  const lacking = all.slice(COLUMNS.length);
  const { mostBytes } = shape;
  const ids = new TextReader(columns.idLonger, columns.idSame, columns.idRest, mostBytes);
  const swarmTexts = new TextReader(columns.swarmLonger, columns.swarmSame, columns.swarmRest, mostBytes);
  const swarms = new Swarms(swarmTexts, mostBytes);
  const numbers = new Float64Array(shape.numbers);
  for (let i = 0; i < count; i++) {
    ids.next();
    const code = columns.swarm.number();
    let swarm: Uint8Array | null = null;
    if (code === SWARM.ofId) {
      const length = columns.prefix.number();
      if (length > ids.length) throw new DamagedBlock('a swarm is longer than its id');
      swarm = ids.scratch.view(length);
    } else if (code === SWARM.next) swarm = swarms.next();
    else if (code >= SWARM.back) swarm = swarms.back(code - SWARM.back);
    for (let column = 0; column < numbers.length; column++) {
      const number = (largest[column] as number) - (lacking[column] as ColumnReader).number();
      if (number < 0) throw new DamagedBlock('a number lies below zero');
      numbers[column] = number;
    }
    yield rowOf(ids.scratch.view(ids.length), swarm, numbers);
  }
}
