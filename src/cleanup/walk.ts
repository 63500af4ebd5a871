/** walk: every key that matches a pattern, page by page, the next page already asked for while this one is read. */
import { scanPage } from '../redis/keyspace.ts';
import { steadily } from './steadily.ts';
import { pause, stopIfInterrupted, type RunContext } from './context.ts';

/**
 * One pass over the keyspace. Yields each key that is there from start to end at least once, and maybe twice.
 * @param pattern asked before each page, so that a pass may narrow on its way
 */
export async function* walk(run: RunContext, pattern: () => string): AsyncGenerator<readonly string[]> {
  const { calls, paces } = run;
  const ask = async (cursor: string) => {
    const count = paces.scan.size;
    const page = await steadily(run, paces.scan, () => scanPage(calls, cursor, pattern(), count));
    paces.scan.learn(count, page.ms);
    run.tally.visited += count;
    return page;
  };
  let next: ReturnType<typeof ask> | undefined = ask('0');
  try {
    while (next !== undefined) {
      const page: Awaited<typeof next> = await next;
      next = undefined;
      if (!(await pause(run))) stopIfInterrupted(run);
      if (page.cursor !== '0') {
        next = ask(page.cursor);
        // Nobody may be waiting for it when this page's reader fails.
        next.catch(() => {});
      }
      if (page.keys.length > 0) yield page.keys;
    }
  } finally {
    await next?.catch(() => {});
  }
}
