/** sightings, compressed: who was seen to beat and when last, in blocks of some ten thousand, each to be read by itself.
 *
 *      add, add, … ──▶ open block ──▶ encode ──▶ deflate ──▶ blocks ──▶ readBlock
 *
 * With ordinary ids one takes 3 to 6 bytes: `coordinator-N` 2.7, in swarms of 20 3.4, `test-swarm-N:coordinator-N` 6.1;
 * a uuid takes 18.7, a swarm with a uuid for a name 12 more. A million are added in 0.5 s and read in 0.2 s of the caller's time;
 * compressing and decompressing them takes 0.3 s beside it.
 */
import { promisify } from 'node:util';
import { constants, deflate, deflateSync, inflate } from 'node:zlib';
import { DamagedBlock } from '../block/damagedBlock.ts';
import type { Sighting } from '../../domain/sighting.ts';
import { decode } from '../block/decode.ts';
import { Encoder } from '../block/encode.ts';
import type { Shape } from '../block/form.ts';
import { NO_ROOM, OpenBlock } from '../block/openBlock.ts';

export { DamagedBlock, type Sighting };

const compress = promisify(deflate);
const decompress = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);

/**
 * Measured on a million ids: level 1 takes half the time and 5 to 20 % more room, 9 ten times as long for 1 % less. What is
 * left here looks like noise, for which `filtered` was made: 4 % less. With zlib's head and checksum, so that damage is noticed.
 */
const HOW = { level: 4, strategy: constants.Z_FILTERED };
/** So many blocks are compressed beside the caller, by the process' four helper threads; further ones by the caller itself. */
const MOST_AT_ONCE = 4;
/** No block is larger than this once it is decompressed: the names, and 40 bytes for each sighting. */
const MOST_DECOMPRESSED = 4 * 1024 * 1024;

/**
 * A sighting is a row with one number, its beat in seconds. The more stand together, the less there is between neighbours:
 * 16,384 take 6 to 14 % more each.
 */
const SHAPE: Shape = { format: 1, numbers: 1, mostRows: 32_768, mostBytes: 1024 * 1024 };

function sightingOf(coordinator: Uint8Array, swarm: Uint8Array | null, [beatAtSeconds = 0]: Float64Array): Sighting {
  return { coordinator, swarm, beatAtSeconds };
}

/** Collects sightings and compresses them block by block; takes at most 10 MB besides the blocks. */
export class SightingsBuilder {
  readonly #open = new OpenBlock(SHAPE);
  readonly #encoder = new Encoder(SHAPE);
  readonly #underWay = new Set<Promise<void>>();
  readonly #blocks: Buffer[] = [];
  #bytes = 0;
  #full = false;
  #count = 0;
  #leftOut = 0;
  #failure: unknown = null;

  /** @param mostBytes what all blocks together may take */
  constructor(private readonly mostBytes: number) {}

  /** How many were added, those left out included. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are in no block, since there was no room; those that came last. Final once `finish` has resolved. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /**
   * Adds a sighting; the bytes are copied. Ids and swarms together must be shorter than 1 MB, or are left out.
   * @param swarm `null` where heartbeats name none
   * @param beatAtSeconds a whole number, at least 0
   */
  add(
    coordinator: Uint8Array,
    from: number,
    to: number,
    swarm: Uint8Array | null,
    swarmFrom: number,
    swarmTo: number,
    beatAtSeconds: number,
  ): void {
    this.#count++;
    const open = this.#open;
    let row = NO_ROOM;
    if (!this.#full) {
      row = open.add(coordinator, from, to, swarm, swarmFrom, swarmTo);
      if (row === NO_ROOM) {
        this.#close();
        row = open.add(coordinator, from, to, swarm, swarmFrom, swarmTo);
      }
    }
    if (row === NO_ROOM) this.#leftOut++;
    else (open.numbers[0] as Float64Array)[row] = beatAtSeconds;
  }

  /** Compresses what is open; the blocks, at most `mostBytes` in all. Nothing may be added after. */
  async finish(): Promise<Buffer[]> {
    this.#close();
    await Promise.all(this.#underWay);
    if (this.#failure !== null) throw this.#failure;
    return this.#blocks;
  }

  #close(): void {
    const { count } = this.#open;
    if (count === 0) return;
    const bytes = this.#encoder.encode(this.#open);
    this.#open.clear();
    // Who adds without ever waiting would otherwise pile up what waits to be compressed.
    if (this.#underWay.size >= MOST_AT_ONCE) this.#keep(deflateSync(bytes, HOW), count);
    else {
      const done = this.#compress(bytes, count).finally(() => this.#underWay.delete(done));
      this.#underWay.add(done);
    }
  }

  async #compress(bytes: Buffer, count: number): Promise<void> {
    try {
      this.#keep(await compress(bytes, HOW), count);
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #keep(block: Buffer, count: number): void {
    if (this.#bytes + block.length > this.mostBytes) {
      this.#full = true;
      this.#leftOut += count;
      return;
    }
    this.#bytes += block.length;
    this.#blocks.push(block);
  }
}

/**
 * Decompresses a block; resolves to its sightings, to be read once. Rejects with `DamagedBlock` when it was cut off or altered
 * since it was written; what was written by somebody else may throw the same while it is read.
 */
export async function readBlock(block: Buffer): Promise<Iterable<Sighting>> {
  try {
    return decode(await decompress(block, { maxOutputLength: MOST_DECOMPRESSED }), SHAPE, sightingOf);
  } catch (error) {
    throw new DamagedBlock('can not be decompressed', { cause: error });
  }
}
