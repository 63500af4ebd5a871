import { expect, test } from 'vitest';
import { Server } from '../chaos/server.ts';
import { Way } from '../chaos/way.ts';
import { clean } from '../support/cleanup.ts';

import { STRATEGIES, urlFor } from '../support/users.ts';
import { ACTIVE, everythingOf, keysIn, STALE, settle } from '../support/world.ts';

/** The call from which on the way knows nothing of the connections that there are, and says nothing of it: one of these. */
const MOMENTS = { script: ['scan', 'mget', 'evalsha'], transaction: ['scan', 'mget', 'watch', 'unlink'] } as const;

// Both wait until the connection is given up.
test.concurrent.for(STRATEGIES)(
  'a connection that the way has forgotten is replaced, and the run goes on: by %s',
  async ([strategy, rules], { onTestFinished }) => {
    const server = await Server.start();
    onTestFinished(async () => await server.stop());
    for (const id of ['a', 'b', 'c']) await settle(server.redis, id, STALE);
    await settle(server.redis, 'active', ACTIVE);
    const address = new URL(await urlFor(server, rules));
    const way = await Way.to(server.port);
    onTestFinished(async () => await way.close());
    address.port = new URL(way.url).port;
    const moments = MOMENTS[strategy];
    const moment = moments[Math.floor(Math.random() * moments.length)];
    let forgotten = false;
    const report = await clean(address.href, {
      before: (name) => {
        if (name !== moment || forgotten) return;
        forgotten = true;
        way.forget();
      },
    });
    expect({ moment, forgotten }).toEqual({ moment, forgotten: true });
    expect(report).toMatchObject({ strategy, coordinators: { active: 1, stale: 3, swept: 3 }, keys: { deleted: 21 } });
    expect(await keysIn(server.redis)).toEqual(everythingOf('active').sort());
    await way.close();
    await server.expectNoLeaks();
  },
);
