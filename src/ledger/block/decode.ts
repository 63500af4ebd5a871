/** decode: reads a block that was decompressed, in the form that `form` tells. */
import type { Sighting } from '../../domain/sighting.ts';
import { ColumnReader, Scratch, TextReader } from './columnReader.ts';
import { DamagedBlock } from './damagedBlock.ts';
import { COLUMNS, type Column, FORMAT, SWARM } from './form.ts';
import { MOST_BYTES } from './openBlock.ts';

/** The swarms of a block in the order in which they came. */
class Swarms {
  #count = 0;
  /** Where each ends. */
  readonly #ends: number[] = [0];
  readonly #all = new Scratch();
  readonly #chosen = new Scratch();

  constructor(private readonly texts: TextReader) {}

  next(): Uint8Array {
    this.texts.next();
    const { length, scratch } = this.texts;
    const from = this.#ends[this.#count] as number;
    if (from + length > MOST_BYTES) throw new DamagedBlock('the swarms are too long');
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
function columnsOf(bytes: Uint8Array, head: ColumnReader): Record<Column, ColumnReader> {
  const lengths = COLUMNS.map(() => head.number());
  let from = head.at;
  const columns = lengths.map((length, i) => {
    const column = new ColumnReader(bytes, from, length);
    from += length;
    return [COLUMNS[i], column] as const;
  });
  return Object.fromEntries(columns) as Record<Column, ColumnReader>;
}

/** The sightings, one by one. Throws `DamagedBlock` where there is something else. */
export function* decode(bytes: Uint8Array): Generator<Sighting, void, undefined> {
  const head = new ColumnReader(bytes, 0, bytes.length);
  const format = head.number();
  if (format !== FORMAT) throw new DamagedBlock(`format ${format} is not known; this version reads ${FORMAT}`);
  const count = head.number();
  const latest = head.number();
  const columns = columnsOf(bytes, head);
  const ids = new TextReader(columns.idLonger, columns.idSame, columns.idRest, MOST_BYTES);
  const swarms = new Swarms(new TextReader(columns.swarmLonger, columns.swarmSame, columns.swarmRest, MOST_BYTES));
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
    const beatAtSeconds = latest - columns.beat.number();
    if (beatAtSeconds < 0) throw new DamagedBlock('a beat lies before all time');
    yield { coordinator: ids.scratch.view(ids.length), swarm, beatAtSeconds };
  }
}
