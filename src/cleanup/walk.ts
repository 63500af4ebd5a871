/** walk: every key that matches a pattern, page by page, the next page already asked for while this one is read. */
import { scanPage } from '../redis/keyspace.ts';
import { steadily } from './steadily.ts';
import { pause, stopIfInterrupted, type RunContext } from './context.ts';

/** One pass over the keyspace. Yields each key that is there from start to end at least once, and maybe twice. */
export async function* walk(run: RunContext, pattern: string): AsyncGenerator<readonly Buffer[]> {
  const { calls, paces, tally } = run;
  const ask = async (from: string) => {
    const count = paces.scan.size;
    const page = await steadily(run, paces.scan, () => scanPage(calls, from, pattern, count));
    paces.scan.learn(count, page.ms);
    tally.visited += count;
    return page;
  };
  // A run that is to rest between its calls has one under way at a time.
  const ahead = run.lanes > 1;
  let cursor = '0';
  let next: ReturnType<typeof ask> | undefined;
  try {
    do {
      const page: Awaited<ReturnType<typeof ask>> = await (next ?? ask(cursor));
      next = undefined;
      cursor = page.cursor;
      if (!(await pause(run))) stopIfInterrupted(run);
      if (ahead && cursor !== '0') {
        next = ask(cursor);
        // Nobody may be waiting for it when this page's reader fails.
        next.catch(() => {});
      }
      if (page.keys.length > 0) yield page.keys;
    } while (cursor !== '0');
  } finally {
    await next?.catch(() => {});
  }
}
