/** scan end: tells a SCAN that will never end from one that takes long.
 *
 * A cursor that comes back means that the pages from there on come back, too: Redis' own go up, read bit by bit from the other end,
 * until they are 0, whatever the keyspace does meanwhile (dictScan in dict.c). Cursors of which no two are the same end by what has been
 * looked at, and by how many keys came: Redis passes empty slots too, of which there may be very many after a mass deletion, and returns
 * a key twice where a table shrinks.
 */
import { Failure } from '../../domain/failure.ts';

/** Fewer slots than this are passed in a minute or so, and no table is kept so empty for long. */
const LEAST_SLOTS = 2 ** 26;
/** A table that is emptied is made smaller before it holds a tenth of its slots' number, unless a snapshot is just being written. */
const SLOTS_PER_KEY = 64;
/** While so many more keys come than there were, they may have been written meanwhile. */
const LEAST_KEYS = 2 ** 20;
const TIMES_RETURNED = 4;

export class ScanEnd {
  /** One of the cursors so far: the last one whose number is a power of two. */
  #kept = '0';
  #pages = 0;
  #keepAt = 1;
  #slots = 0;
  #keys = 0;

  /** @param keyspace how many keys there are, roughly; 0 where nobody knows */
  constructor(private readonly keyspace: number) {}

  /** Takes note of a page: where it leaves off, how many slots were to be passed, how many keys came. Throws once there is no end. */
  note(cursor: string, slots: number, keys: number): void {
    if (cursor === '0') return;
    if (cursor === this.#kept) throw endless(`cursor ${cursor} came again`);
    this.#pages++;
    this.#slots += slots;
    this.#keys += keys;
    if (this.#pages === this.#keepAt) {
      this.#keepAt *= 2;
      this.#kept = cursor;
    }
    const { keyspace } = this;
    if (this.#slots > Math.max(LEAST_SLOTS, SLOTS_PER_KEY * keyspace)) {
      throw endless(`${this.#slots} slots were passed, of ${keyspace} keys`);
    }
    if (keyspace > 0 && this.#keys > LEAST_KEYS + TIMES_RETURNED * keyspace) {
      throw endless(`${this.#keys} keys came, of ${keyspace}`);
    }
  }
}

function endless(why: string): Failure {
  return new Failure('RUN_FAILED', `SCAN does not end on this server (${why}), so nobody can tell who lives there`);
}
