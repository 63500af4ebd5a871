import { afterAll, beforeAll, expect, test } from 'vitest';
import { Redis } from 'ioredis';
import { failToSave, saveAgain, Server } from '../chaos/server.ts';
import { Serving } from '../../src/redis/target/serving.ts';
import { RentedRedis } from '../support/rented/proxy.ts';
import { without } from '../support/rented/rules.ts';
import { addUser } from '../support/users.ts';
import type { TestRedis } from '../support/redis.ts';

let server: Server;
/** A server's own state, which no asking may change. */
async function stateOf({ redis }: { redis: Redis }): Promise<unknown> {
  const info = await redis.info('everything');
  return ['rdb_changes_since_last_save', 'master_repl_offset', 'expired_keys', 'evicted_keys']
    .map((name) => new RegExp(`${name}:(\\d+)`).exec(info)?.[1])
    .concat(String(await redis.dbsize()));
}

/** Ways in which the question can be put, by what the server, or the user's rights, leave of them. */
const ASKED = {
  'by a script': async () => server.url,
  'by a write that writes nothing': async () =>
    await addUser(server as unknown as TestRedis, ['~*', '+@all', '-eval'], 'writes'),
  'by INFO': async () =>
    await addUser(server as unknown as TestRedis, ['~swarm:*', '+time', '+info', '+ping', '+role'], 'reads'),
} as const;

/** What keeps everybody from writing, and how that ends. */
const OUTAGES = {
  'it is full': async ({ redis }: Server) => {
    await redis.config('SET', 'maxmemory', '1');
    return async () => await redis.config('SET', 'maxmemory', '0');
  },
  'it can not save': async (one: Server) => {
    await failToSave(one);
    return async () => await saveAgain(one);
  },
  'it is a replica': async ({ redis }: Server) => {
    await redis.call('REPLICAOF', '127.0.0.1', '1');
    return async () => await redis.call('REPLICAOF', 'NO', 'ONE');
  },
} as const;

beforeAll(async () => {
  server = await Server.start(['--save', '3600 1000000']);
  await server.redis.set('swarm:s:blocking:heartbeat:c', '1');
});
afterAll(async () => {
  await server.stop();
});

async function asking(url: string, ask: (serving: Serving) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { enableReadyCheck: false });
  try {
    await ask(new Serving(redis));
  } finally {
    redis.disconnect();
  }
}

test.for(Object.keys(ASKED) as (keyof typeof ASKED)[])(
  'asked %s, a server says when it takes no writes, and nothing is written (P10)',
  async (how) => {
    await asking(await ASKED[how](), async (serving) => {
      const healthy = async () => {
        const [seconds] = await server.redis.time();
        expect(Math.abs(Number(await serving.ask()) - Number(seconds) * 1000)).toBeLessThan(60_000);
      };
      const before = await stateOf(server);
      await healthy();
      await healthy();
      expect(await stateOf(server)).toEqual(before);
      for (const [outage, hurt] of Object.entries(OUTAGES)) {
        const heal = await hurt(server);
        expect(await serving.ask(), outage).toBeNull();
        await heal();
        await healthy();
      }
      expect(await server.redis.keys('*')).toEqual(['swarm:s:blocking:heartbeat:c']);
    });
  },
);

test('what wants replicas and has none takes no writes', async () => {
  await asking(server.url, async (serving) => {
    await server.redis.config('SET', 'min-replicas-to-write', '1');
    expect(await serving.ask()).toBeNull();
    await server.redis.config('SET', 'min-replicas-to-write', '0');
    expect(await serving.ask()).not.toBeNull();
  });
});

test('what a server takes from nobody is asked once', async () => {
  const rented = await RentedRedis.open(server.port, without(['EVAL', 'SETRANGE', 'ROLE', 'INFO', 'PING']));
  try {
    await asking(rented.url, async (serving) => {
      for (let i = 0; i < 3; i++) expect(await serving.ask()).not.toBeNull();
      // Those with which the library opens a connection aside.
      const others = ['TIME', 'HELLO', 'CLIENT'];
      const asked = rented.commands.map(([name = '']) => name).filter((name) => !others.includes(name));
      expect(asked.sort()).toEqual(['EVAL', 'INFO', 'PING', 'ROLE', 'SETRANGE']);
    });
  } finally {
    await rented.close();
  }
});
