/** keyPages: all keys of a server that a pattern finds, by bounded calls that take only as much of its time as its pace allows. */
import { scanPage } from './keyspace.ts';
import { ScanEnd } from './scanEnd.ts';
import type { Reader } from '../target/reader.ts';

/** A server that is walked. */
export interface Walked extends Reader {
  /** How many keys there are, roughly. */
  readonly keyspace: number;
  /** Ends it between two pages, with its reason. */
  readonly signal?: AbortSignal;
}

/** Page by page; some of them perhaps twice. Fails (`RUN_FAILED`) where that would never end. */
export async function* keyPages(walked: Walked, glob: string): AsyncGenerator<readonly Buffer[]> {
  const { calls, paces, keyspace } = walked;
  const end = new ScanEnd(keyspace);
  let cursor = '0';
  do {
    walked.signal?.throwIfAborted();
    const page = await walked.steadily('scan', () => scanPage(calls, cursor, glob, paces.scan.size));
    const { count } = page;
    paces.tell('scan', count, page.ms);
    cursor = page.cursor;
    end.note(cursor, count, page.keys.length);
    yield page.keys;
    await calls.rest.take();
  } while (cursor !== '0');
}
