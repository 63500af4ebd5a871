/** encode: from an open block to the bytes that are compressed, in the form that `form` tells. */
import { ColumnWriter, TextWriter } from './columnWriter.ts';
import { COLUMNS, type Column, type Shape, SWARM } from './form.ts';
import { NO_SWARM, type OpenBlock, prefixOf } from './openBlock.ts';
import { Order } from './order.ts';

export class Encoder {
  /** Where the rows of the block encoded last stand in it. */
  readonly order: Order;
  readonly #head = new ColumnWriter();
  readonly #names = Object.fromEntries(COLUMNS.map((name) => [name, new ColumnWriter()])) as Record<
    Column,
    ColumnWriter
  >;
  readonly #numbers: readonly ColumnWriter[];
  /** When a swarm of the block came first, counted from 1; 0: not yet. */
  readonly #came: Uint32Array;

  /** @param shape that of every block it is given */
  constructor(private readonly shape: Shape) {
    this.order = new Order(shape.mostRows);
    this.#came = new Uint32Array(shape.mostRows);
    this.#numbers = Array.from({ length: shape.numbers }, () => new ColumnWriter());
  }

  /** The block's rows, which may be cleared afterwards. */
  encode(block: OpenBlock): Buffer {
    const columns = [...Object.values(this.#names), ...this.#numbers];
    for (const column of columns) column.clear();
    const { idLonger, idSame, idRest, swarm, swarmLonger, swarmSame, swarmRest, prefix } = this.#names;
    this.order.sort(block);
    this.#ids(block, new TextWriter(idLonger, idSame, idRest));
    this.#swarms(block, swarm, prefix, new TextWriter(swarmLonger, swarmSame, swarmRest));
    const largest = this.#numbers.map((column, i) => this.#below(block, block.numbers[i] as Float64Array, column));
    this.#head.clear();
    const lengths = columns.map(({ length }) => length);
    for (const value of [this.shape.format, block.count, ...largest, ...lengths]) this.#head.number(value);
    return Buffer.concat([this.#head, ...columns].map(({ bytes }) => bytes));
  }

  #ids({ bytes, count, idFrom, idTo }: OpenBlock, ids: TextWriter): void {
    for (let i = 0; i < count; i++) {
      const record = this.order.at(i);
      ids.text(bytes, idFrom[record] as number, idTo[record] as number);
    }
  }

  #swarms(block: OpenBlock, codes: ColumnWriter, prefixes: ColumnWriter, texts: TextWriter): void {
    const came = this.#came.fill(0);
    let last = 0;
    for (let i = 0; i < block.count; i++) {
      const swarm = block.swarm[this.order.at(i)] as number;
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

  /** Writes what each number lacks to the largest, which is returned. */
  #below({ count }: OpenBlock, numbers: Float64Array, column: ColumnWriter): number {
    let largest = 0;
    for (let i = 0; i < count; i++) largest = Math.max(largest, numbers[i] as number);
    for (let i = 0; i < count; i++) column.number(largest - (numbers[this.order.at(i)] as number));
    return largest;
  }
}
