import { describe, expect, test } from 'vitest';
import { Stopwatch } from '../../src/redis/call/stopwatch.ts';
import { infoAtOpening } from '../../src/redis/connection/connectForRun.ts';
import { Births } from '../../src/redis/target/births.ts';
import { Link } from '../../src/redis/target/link.ts';
import { targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { urlFor } from '../support/users.ts';

const server = useRedis();
const MANY = 50_000;

async function beginBirths(prefix: string, { url = server.current.url, keyspace = MANY } = {}) {
  const link = await Link.open(targetOf(url));
  const births = new Births(link, infoAtOpening(link.redis), new Stopwatch());
  const ending = new AbortController();
  await births.begin(prefix, keyspace, ending.signal);
  const close = () => {
    births.end();
    link.close();
  };
  return { births, close, ending };
}

/** Those that are none of the fixture's: that of the link, and that of births. */
async function connections(): Promise<readonly string[]> {
  const list = String(await server.current.redis.client('LIST'));
  return list.split('\n').filter((line) => line !== '' && !line.includes(' name=fixture '));
}

describe('births', () => {
  test('leave out no heartbeat that was written before they are asked for, in whatever way, and name no other key', async () => {
    const { births, close } = await beginBirths('beat:');
    const { redis } = server.current;
    const ways = [
      async (key: string) => await redis.set(key, '1'),
      async (key: string) => await redis.set(key, '1', 'PX', 60_000),
      async (key: string) => await redis.multi().set(`x${key}`, '1').rename(`x${key}`, key).exec(),
      async (key: string) => await redis.eval("redis.call('SET', KEYS[1], '1')", 1, key),
      async (key: string) => await redis.multi().set(`y${key}`, '1').copy(`y${key}`, key).exec(),
      async (key: string) => await redis.hset(key, 'at', '1'),
    ];
    let written = 0;
    for (let round = 0; round < 20; round++) {
      const keys = Array.from({ length: 1 + Math.floor(Math.random() * 100) }, () => Buffer.from([written++ % 256]));
      const names = keys.map((odd, i) => `beat:${round}:${i}:${odd.toString('latin1')}`);
      await Promise.all(names.map(async (name, i) => await ways[i % ways.length]?.(name)));
      const told = (await births.written())?.map(String) ?? [];
      expect(told.toSorted()).toEqual(names.toSorted());
    }
    close();
    expect(await births.written()).toBeNull();
  });

  test('are given up at once where the run is told to end and the server stands still', async () => {
    const { births, close, ending } = await beginBirths('beat:');
    const pid = Number(/process_id:(\d+)/.exec(await server.current.redis.info('server'))?.[1]);
    process.kill(pid, 'SIGSTOP');
    try {
      const written = births.written();
      ending.abort();
      expect(await written).toBeNull();
    } finally {
      process.kill(pid, 'SIGCONT');
      close();
    }
  });

  test('are not known once the connection was lost, all keys were dropped, or more was written than anybody would be born', async () => {
    const { redis } = server.current;
    const troubles = [
      async () => {
        const listening = (await connections()).find((line) => line.includes(' sub=1 '));
        await redis.client('KILL', 'ID', String(/^id=(\d+)/.exec(String(listening))?.[1]));
      },
      async () => await redis.flushall(),
      async () => {
        for (let i = 0; i <= MANY / 10; i += 100) {
          await redis.mset(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`beat:${i + n}`, '1'])));
        }
      },
    ];
    for (const trouble of troubles) {
      const { births, close } = await beginBirths('beat:');
      expect(await births.written()).toEqual([]);
      await trouble();
      await redis.set('beat:born', '1');
      expect(await births.written()).toBeNull();
      await expect.poll(connections).toHaveLength(1);
      close();
    }
  });

  test('are not known where they can not be, which opens no connection or leaves none', async () => {
    const url = await urlFor(server.current, ['-client', '-subscribe']);
    const cases = [['beat:', { url }], ['beat:', { keyspace: 10_000 }], ['schlüssel:'], ['']] as const;
    for (const one of cases) {
      const { births, close } = await beginBirths(one[0], one[1] ?? {});
      expect(await births.written()).toBeNull();
      await expect.poll(connections).toHaveLength(1);
      close();
    }
  });
});
