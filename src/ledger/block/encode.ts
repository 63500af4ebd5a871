/** encode: from an open block to the bytes that are compressed, in the form that `form` tells. */
import { ColumnWriter, TextWriter } from './columnWriter.ts';
import { COLUMNS, type Column, FORMAT, SWARM } from './form.ts';
import { MOST_SIGHTINGS, NO_SWARM, type OpenBlock, prefixOf } from './openBlock.ts';
import { Order } from './order.ts';

export class Encoder {
  readonly #order = new Order(MOST_SIGHTINGS);
  readonly #head = new ColumnWriter();
  readonly #columns = Object.fromEntries(COLUMNS.map((name) => [name, new ColumnWriter()])) as Record<
    Column,
    ColumnWriter
  >;
  /** When a swarm of the block came first, counted from 1; 0: not yet. */
  readonly #came = new Uint32Array(MOST_SIGHTINGS);

  /** The block's sightings, which may be cleared afterwards. */
  encode(block: OpenBlock): Buffer {
    const columns = Object.values(this.#columns);
    for (const column of columns) column.clear();
    const { idLonger, idSame, idRest, swarm, swarmLonger, swarmSame, swarmRest, prefix, beat } = this.#columns;
    this.#order.sort(block);
    this.#ids(block, new TextWriter(idLonger, idSame, idRest));
    this.#swarms(block, swarm, prefix, new TextWriter(swarmLonger, swarmSame, swarmRest));
    const latest = this.#beats(block, beat);
    this.#head.clear();
    const lengths = columns.map(({ length }) => length);
    for (const value of [FORMAT, block.count, latest, ...lengths]) this.#head.number(value);
    return Buffer.concat([this.#head, ...columns].map(({ bytes }) => bytes));
  }

  #ids({ bytes, count, idFrom, idTo }: OpenBlock, ids: TextWriter): void {
    for (let i = 0; i < count; i++) {
      const record = this.#order.at(i);
      ids.text(bytes, idFrom[record] as number, idTo[record] as number);
    }
  }

  #swarms(block: OpenBlock, codes: ColumnWriter, prefixes: ColumnWriter, texts: TextWriter): void {
    const came = this.#came.fill(0);
    let last = 0;
    for (let i = 0; i < block.count; i++) {
      const swarm = block.swarm[this.#order.at(i)] as number;
      if (swarm === NO_SWARM) codes.number(SWARM.none);
      else if (swarm < NO_SWARM) {
        codes.number(SWARM.ofId);
        prefixes.number(prefixOf(swarm));
      } else if (came[swarm] === 0) {
        came[swarm] = ++last;
        codes.number(SWARM.next);
        texts.text(block.bytes, block.swarmFrom[swarm] as number, block.swarmTo[swarm] as number);
      } else codes.number(SWARM.back + last - (came[swarm] as number));
    }
  }

  #beats({ count, beatAtSeconds }: OpenBlock, column: ColumnWriter): number {
    let latest = 0;
    for (let i = 0; i < count; i++) latest = Math.max(latest, beatAtSeconds[i] as number);
    for (let i = 0; i < count; i++) column.number(latest - (beatAtSeconds[this.#order.at(i)] as number));
    return latest;
  }
}
