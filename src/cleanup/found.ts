/** found: those keys of a page of the keyspace that belong to an id of the round under way, in columns, so that what is looked
 * up in memory for one of them is looked up for all of them in one loop.
 */
import type { Reading } from '../domain/reading.ts';
import type { Id } from './roster.ts';

/** A heartbeat that was found and not yet read; its id is `NOBODY` where that belongs to another round. */
export interface Unread {
  readonly key: Buffer;
  readonly hash: number;
  readonly id: Id;
}

/** Stands for the family of a heartbeat. */
export const HEARTBEAT = -1;

const LEAST_ROWS = 1_024;

/** The keys that were found on one page, a row each. */
export class Found {
  readonly keys: Buffer[] = [];
  hashes = new Uint32Array(0);
  /** Their ids, once they were entered. */
  ids = new Uint32Array(0);
  idFrom = new Uint32Array(0);
  idTo = new Uint32Array(0);
  families = new Int32Array(0);
  derivable = new Uint8Array(0);

  get count(): number {
    return this.keys.length;
  }

  /** Forgets all rows, and makes room for so many. */
  clear(rows: number): void {
    this.keys.length = 0;
    if (rows <= this.hashes.length) return;
    const room = Math.max(LEAST_ROWS, rows * 2);
    this.hashes = new Uint32Array(room);
    this.ids = new Uint32Array(room);
    this.idFrom = new Uint32Array(room);
    this.idTo = new Uint32Array(room);
    this.families = new Int32Array(room);
    this.derivable = new Uint8Array(room);
  }

  add(key: Buffer, hash: number, { kind, family, idFrom, idTo, derivable }: Reading): void {
    const row = this.keys.push(key) - 1;
    this.hashes[row] = hash;
    this.idFrom[row] = idFrom;
    this.idTo[row] = idTo;
    this.families[row] = kind === 'heartbeat' ? HEARTBEAT : family;
    this.derivable[row] = derivable ? 1 : 0;
  }

  /** The heartbeat of a row. */
  heartbeat(row: number): Unread {
    return { key: this.keys[row] as Buffer, hash: this.hashes[row] as number, id: this.ids[row] as Id };
  }
}
