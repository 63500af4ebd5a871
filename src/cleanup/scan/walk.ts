/** walk: every key that matches a pattern, page by page, the next pages already asked for while this one is read. */
import { type Page, scanPage } from '../../redis/keyspace/keyspace.ts';
import { ScanEnd } from '../../redis/keyspace/scanEnd.ts';
import { pause, stopIfInterrupted, type RunContext } from '../context.ts';

/**
 * So many pages may be there unread or be on their way. The cursor for the next one comes with the last, so with one alone
 * Redis would wait whenever its reader is busy.
 */
const PAGES_AHEAD = 2;

/**
 * One pass over the keyspace. Yields each key that is there from start to end at least once, and maybe twice. A page is
 * emptied when the next one is asked for: the client keeps hold of its last reply while it reads the next, so that to the
 * collector of young objects a page would keep all earlier ones alive. Fails (`RUN_FAILED`) where it would never end.
 */
export async function* walk(run: RunContext, pattern: string): AsyncGenerator<readonly Buffer[]> {
  const { node, signal, tally } = run;
  // A run that is to rest between its calls has one under way at a time.
  const most = node.lanes > 1 ? PAGES_AHEAD : 0;
  const pages: Promise<Page>[] = [];
  /** Where the next page begins; `null` while that is not known, or there is none. */
  let cursor: string | null = '0';
  const end = new ScanEnd(node.keyspace);

  const ask = async (from: string): Promise<Page> => {
    const page = await node.steadily('scan', () => scanPage(node.calls, from, pattern, node.paces.scan.size));
    const { count } = page;
    node.paces.tell('scan', count, page.ms);
    tally.visited += count;
    end.note(page.cursor, count, page.keys.length);
    if (page.cursor !== '0') cursor = page.cursor;
    if (pages.length < most && !signal.aborted && !node.calls.rest.isDue) askNext();
    return page;
  };
  let ended = false;
  const askNext = (): void => {
    if (cursor === null || ended) return;
    const page = ask(cursor);
    cursor = null;
    // Nobody may be waiting for it when the reader of an earlier one fails.
    page.catch(() => {});
    pages.push(page);
  };

  askNext();
  try {
    for (let page = pages.shift(); page !== undefined; page = pages.shift()) {
      const { keys } = await page;
      if (!(await pause(run))) stopIfInterrupted(run);
      if (pages.length < most) askNext();
      if (keys.length > 0) yield keys;
      keys.length = 0;
      if (pages.length === 0) askNext();
    }
  } finally {
    ended = true;
    await Promise.allSettled(pages);
  }
}
