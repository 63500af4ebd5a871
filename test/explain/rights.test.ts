import { expect, test } from 'vitest';
import type { Entry } from '../../src/explain/entry.ts';
import { jsonOf } from '../../src/explain/json.ts';
import { aclLine, WAYS } from '../../src/redis/rights/permissions.ts';
import { targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { addUser } from '../support/users.ts';
import { ACTIVE, beat, keysIn, nowOf, settle, STALE, writeAll } from '../support/world.ts';
import { ask } from './asking.ts';

const server = useRedis();

/** What counts of an entry: of a name that is no run's, not whether a key has it, which this user may not ask. */
function saidOf(entry: Entry): unknown {
  const { name, verdict, why } = jsonOf(entry);
  return verdict === 'foreign' ? [name, verdict] : [name, verdict, why.replaceAll(/\d+ (?:minute|second)s?/g, '')];
}

test.each(['swarm', 'flat'].flatMap((schema) => WAYS.map((way) => [schema, way] as const)))(
  'of schema %s, whoever may do no more than a %s needs is told of every name what anybody is told',
  async (schema, way) => {
    const { redis, url } = server.current;
    for (const [id, silent] of [
      ['c1', STALE],
      ['c2', ACTIVE],
    ] as const) {
      await settle(redis, id, silent);
      await writeAll(redis, { [`blocking:heartbeat:${id}`]: beat((await nowOf(redis)) - silent * 1000, id) });
    }
    const names = ['c1', 'c2', 'nobody', 'sessions:1', 'stalesweep:x', ...(await keysIn(redis))];
    const settings = { schema, restartGrace: false };
    const user = await addUser(server.current, aclLine(targetOf(url, settings), way).split(' ').slice(5));
    const [told, all] = [await ask(targetOf(user, settings), names), await ask(targetOf(url, settings), names)];
    expect(told.map(saidOf)).toEqual(all.map(saidOf));
  },
);
