/** What a way delivers long after whoever sent it was killed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Gate } from '../cluster/gates.ts';
import { until } from '../support/clusterServers.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, nowOf } from '../support/world.ts';
import { heartbeatOf, lapse, leftIn, LONG_AGO, runWithPast } from './scene.ts';

const server = useRedis();
let gate: Gate;

beforeEach(async () => {
  gate = await Gate.before(server.current.port);
});
afterEach(() => gate.close());

/** As long ago the removal seems to have been sent: in this second alone it may be done. */
const AGO_SECONDS = 15;

test.each(STRATEGIES)(
  'removes nothing of who came back meanwhile, and whose heartbeat has expired again: by %s (P1, P11)',
  async (strategy, rules) => {
    const { redis, port } = server.current;
    await lapse(redis, 'flat', [{ id: 'back', agoSeconds: LONG_AGO }]);
    const url = (await urlFor(server.current, rules)).replace(`:${port}`, `:${gate.port}`);
    const name = strategy === 'script' ? 'evalsha' : 'exec';
    const sent: (() => Promise<void>)[] = [];
    let isKilled = false;
    let hold = () => {};
    const held = new Promise<void>((resolve) => {
      hold = () => gate.holdLate({ name, sent, onHeld: resolve });
    });
    const run = runWithPast(
      { url, redis },
      {
        before: (call) => {
          if (isKilled) throw new Error('killed');
          if (call === name) hold();
        },
        after: (call, reply) => {
          if (call === 'time' && Array.isArray(reply)) reply[0] = `${Number(reply[0]) - AGO_SECONDS}`;
        },
      },
    ).catch((error: Error) => error.message);
    await held;
    isKilled = true;
    gate.cut();
    expect(await run).toBe('killed');

    const heartbeat = heartbeatOf('flat', 'back');
    await redis.set(heartbeat, beat(await nowOf(redis), 'back'), 'PX', 2_500);
    await redis.set('blocking:signal:back', 'new');
    await until(async () => (await redis.exists(heartbeat)) === 0);
    const before = await leftIn(redis);
    for (const deliver of sent) await deliver();
    expect(await leftIn(redis)).toEqual(before);
    expect(await redis.get('blocking:signal:back')).toBe('new');
  },
);
