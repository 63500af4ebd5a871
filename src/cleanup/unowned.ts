/** unowned: what a walk over a cluster was shown that nobody can ask for, counted and named. */
import type { Run } from './context.ts';

/** After a walk, once all that moved was followed. */
export async function noteUnowned({ target, tally, observer }: Run): Promise<void> {
  const unowned = (await target.moves?.unowned()) ?? null;
  tally.unowned = unowned;
  if (unowned === null || unowned.count === 0) return;
  const [one = ''] = unowned.sample;
  const what = `${unowned.count} keys, ${JSON.stringify(one)} among them, are at nodes of the cluster that no longer own them`;
  observer.warn?.(`${what}: nobody can ask for them there, so they stay; redis-cli --cluster fix mends it`);
}
