/** What a way delivers long after whoever sent it was killed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Gate } from '../cluster/gates.ts';
import { until } from '../support/clusterServers.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, nowOf } from '../support/world.ts';
import { clean, type CleanOptions } from '../support/cleanup.ts';
import { heartbeatOf, lapse, leftIn, LONG_AGO, runWithPast } from './scene.ts';

const server = useRedis();
let gate: Gate;

beforeEach(async () => {
  gate = await Gate.before(server.current.port);
});
afterEach(() => gate.close());

/** As long ago the removal seems to have been sent: in this second alone it may be done. */
const AGO_SECONDS = 15;

/** The removal of a run at this address that is killed as it sends it; to be delivered whenever that is called. */
async function removalOf(
  strategy: string,
  url: string,
  run: (url: string, hooks: Pick<CleanOptions, 'before' | 'after'>) => Promise<unknown>,
): Promise<() => Promise<void>> {
  const name = strategy === 'script' ? 'evalsha' : 'exec';
  const sent: (() => Promise<void>)[] = [];
  let isKilled = false;
  let hold = () => {};
  const held = new Promise<void>((resolve) => {
    hold = () => gate.holdLate({ name, sent, onHeld: resolve });
  });
  const ended = run(url.replace(`:${server.current.port}`, `:${gate.port}`), {
    before: (call) => {
      if (isKilled) throw new Error('killed');
      if (call === name) hold();
    },
    after: (call, reply) => {
      if (call === 'time' && Array.isArray(reply)) reply[0] = `${Number(reply[0]) - AGO_SECONDS}`;
    },
  }).catch((error: Error) => error.message);
  await held;
  isKilled = true;
  gate.cut();
  expect(await ended).toBe('killed');
  return async () => {
    for (const deliver of sent) await deliver();
  };
}

/** Beats once, and is silent until that heartbeat has expired. */
async function beatOnce(heartbeat: string, id: string, ...written: readonly [key: string, value: string][]) {
  const { redis } = server.current;
  await redis.set(heartbeat, beat(await nowOf(redis), id), 'PX', 2_500);
  for (const [key, value] of written) await redis.set(key, value);
  await until(async () => (await redis.exists(heartbeat)) === 0);
}

test.each(STRATEGIES)(
  'removes nothing of who came back meanwhile, and whose heartbeat has expired again: by %s (P1, P11)',
  async (strategy, rules) => {
    const { redis } = server.current;
    await lapse(redis, 'flat', [{ id: 'back', agoSeconds: LONG_AGO }]);
    const deliver = await removalOf(strategy, await urlFor(server.current, rules), (url, hooks) =>
      runWithPast({ url, redis }, hooks),
    );
    await beatOnce(heartbeatOf('flat', 'back'), 'back', ['blocking:signal:back', 'new']);
    const before = await leftIn(redis);
    await deliver();
    expect(await leftIn(redis)).toEqual(before);
    expect(await redis.get('blocking:signal:back')).toBe('new');
  },
);

test.each(STRATEGIES)(
  'removes no orphan of who came back meanwhile, and whose heartbeat has expired again: by %s (P1, P11)',
  async (strategy, rules) => {
    const { redis } = server.current;
    const orphan = 'blocking:ack:back:1';
    await redis.set(heartbeatOf('flat', 'lives'), beat(await nowOf(redis), 'lives'));
    const settings = { schema: 'flat', orphans: ['ack'] };
    const write = async () => {
      await redis.set(orphan, 'value');
      await redis.call('RESTORE', orphan, 0, await redis.dumpBuffer(orphan), 'REPLACE', 'IDLETIME', LONG_AGO);
    };
    // As any run before it, so that the server knows the script.
    await write();
    await clean(await urlFor(server.current, rules), { settings });
    expect(await redis.exists(orphan)).toBe(0);
    await write();
    const deliver = await removalOf(strategy, await urlFor(server.current, rules), (url, hooks) =>
      clean(url, { settings, ...hooks }),
    );
    await beatOnce(heartbeatOf('flat', 'back'), 'back');
    await deliver();
    expect(await redis.exists(orphan)).toBe(1);
    // Nobody came between: then it goes.
    await clean(await urlFor(server.current, rules), { settings });
    expect(await redis.exists(orphan)).toBe(0);
  },
);
