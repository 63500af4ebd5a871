import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type LoadedSightings, Sightings, SightingsReplaced } from '../../../src/ledger/sightings/sightings.ts';
import { ServerCalls } from '../../../src/redis/call/calls.ts';
import { type Replacement, replaceSightings } from '../../../src/redis/replaceSightings.ts';
import { useRedis } from '../../support/leaks.ts';
import { addUser } from '../../support/users.ts';

const KEY = '{stalesweep}:sightings:default:0123456789ab';
const DAY_SECONDS = 86_400;
const server = useRedis();

function door(redis = server.current.redis): Sightings {
  return new Sightings(redis, KEY);
}
/** Blocks that no text could hold. */
function blocksOf(first: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from([first, i, 0, 255, 13, 10]));
}
async function read(loaded: LoadedSightings): Promise<Buffer[]> {
  const blocks: Buffer[] = [];
  for await (const block of loaded.blocks()) blocks.push(block);
  return blocks;
}
async function versionOf(): Promise<string | null> {
  return (await door().load()).version;
}

/** What a writer asks for that wrote three blocks where none stood. */
const FIRST: Replacement = {
  key: KEY,
  expected: null,
  next: { version: 'ab:3', blocks: `${KEY}:ab:3`, count: 3 },
  keepSeconds: 60,
  graceSeconds: 10,
};

/** Over a connection as this user, who may do just this. */
async function as<T>(rules: readonly string[], act: (sightings: Sightings) => Promise<T>): Promise<T> {
  const redis = new Redis(await addUser(server.current, rules));
  redis.on('error', () => {});
  try {
    return await act(door(redis));
  } finally {
    redis.disconnect();
  }
}

describe('sightings', () => {
  test('are none at first', async () => {
    const loaded = await door().load();
    expect(loaded).toMatchObject({ version: null, damaged: false });
    expect(await read(loaded)).toEqual([]);
  });

  test('are loaded as they were written, byte for byte and in order, and replaced as a whole', async () => {
    expect(await door().replace(blocksOf(1, 5), null)).toBe(true);
    const first = await door().load();
    expect(await read(first)).toEqual(blocksOf(1, 5));
    expect(await door().replace(blocksOf(2, 2), first.version)).toBe(true);
    const second = await door().load();
    expect(second.version).not.toBe(first.version);
    expect(await read(second)).toEqual(blocksOf(2, 2));
  });

  test('may be none again: a run that saw nobody', async () => {
    await door().replace(blocksOf(1, 3), null);
    expect(await door().replace([], await versionOf())).toBe(true);
    const loaded = await door().load();
    expect(loaded).toMatchObject({ version: expect.any(String), damaged: false });
    expect(await read(loaded)).toEqual([]);
    expect(await door().replace(blocksOf(1, 3), loaded.version)).toBe(true);
  });

  test('are kept for 90 days, and those they replaced only while somebody may be reading them', async () => {
    const { redis } = server.current;
    await door().replace(blocksOf(1, 3), null);
    const old = `${KEY}:${await versionOf()}`;
    await door().replace(blocksOf(2, 3), await versionOf());
    for (const key of [KEY, `${KEY}:${await versionOf()}`]) {
      expect(await redis.ttl(key)).toBeGreaterThan(90 * DAY_SECONDS - 60);
      expect(await redis.ttl(key)).toBeLessThanOrEqual(90 * DAY_SECONDS);
    }
    expect(await redis.ttl(old)).toBeLessThanOrEqual(10);
    expect(await redis.ttl(old)).not.toBe(-1);
  });
});

describe('of two writers', () => {
  test('that loaded the same version one wins, and the other leaves nothing', async () => {
    await door().replace(blocksOf(1, 2), null);
    const version = await versionOf();
    const won = await Promise.all([door().replace(blocksOf(2, 9), version), door().replace(blocksOf(3, 9), version)]);
    expect(won.toSorted()).toEqual([false, true]);
    expect(await read(await door().load())).toEqual(blocksOf(won[0] ? 2 : 3, 9));
    // What stands, its version, and the one it replaced.
    expect(await server.current.redis.dbsize()).toBe(3);
  });

  test('that found none one wins too', async () => {
    const won = await Promise.all([door().replace(blocksOf(2, 4), null), door().replace(blocksOf(3, 4), null)]);
    expect(won.toSorted()).toEqual([false, true]);
    expect(await door().replace(blocksOf(4, 4), null)).toBe(false);
  });

  test('never a mixture is read, whenever it is loaded', async () => {
    let over = false;
    const write = async (first: number): Promise<void> => {
      for (let i = 0; i < 30; i++) await door().replace(blocksOf(first, 1 + (i % 9)), await versionOf());
    };
    const reader = async (): Promise<void> => {
      while (!over) {
        const blocks = await read(await door().load());
        expect(blocks).toEqual(blocksOf(blocks[0]?.[0] ?? 0, blocks.length));
      }
    };
    const readers = [reader(), reader()];
    await Promise.all([write(1), write(2), write(3)]);
    over = true;
    await Promise.all(readers);
  });

  test('who reads so slowly that they are gone is told so', async () => {
    await door().replace(blocksOf(1, 9), null);
    const loaded = await door().load();
    const blocks = loaded.blocks();
    expect((await blocks.next()).value).toEqual(blocksOf(1, 1)[0]);
    await door().replace(blocksOf(2, 9), loaded.version);
    // As it expires.
    await server.current.redis.unlink(`${KEY}:${loaded.version}`);
    await blocks.next();
    await expect(blocks.next()).rejects.toThrow(SightingsReplaced);
  });
});

describe('a writer that dies', () => {
  test('leaves what stands as it is, and nothing that does not expire', async () => {
    const { redis } = server.current;
    await door().replace(blocksOf(1, 2), null);
    const standing = await versionOf();
    const writer = new Redis(server.current.url);
    writer.on('error', () => {});
    const before = new Set(await redis.keys('*'));
    const dying = door(writer).replace([...blocksOf(2, 3), ...blocksOf(3, 50_000)], standing);
    dying.catch(() => {});
    await expect.poll(async () => (await redis.keys('*')).length, { interval: 1 }).toBe(before.size + 1);
    writer.disconnect();
    await expect(dying).rejects.toThrow('closed');
    expect(await versionOf()).toBe(standing);
    const [left = ''] = (await redis.keys('*')).filter((key) => !before.has(key));
    expect(await redis.ttl(left)).toBeGreaterThan(0);
    expect(await redis.ttl(left)).toBeLessThanOrEqual(60);
  });

  test('for so long that what it wrote first has expired does not put in place what is left', async () => {
    await server.current.redis.rpush(`${KEY}:ab:3`, 'the second', 'the third');
    expect(await replaceSightings(new ServerCalls(server.current.redis), FIRST)).toBe(false);
    expect(await door().load()).toMatchObject({ version: null, damaged: false });
  });

  test('and is asked again after it had put them in place says that it did', async () => {
    await server.current.redis.rpush(`${KEY}:ab:3`, 'the first', 'the second', 'the third');
    expect(await replaceSightings(new ServerCalls(server.current.redis), FIRST)).toBe(true);
    expect(await replaceSightings(new ServerCalls(server.current.redis), FIRST)).toBe(true);
    expect(await door().load()).toMatchObject({ version: 'ab:3', damaged: false });
  });
});

describe('what stands there and is no sightings', () => {
  test.each<[string, readonly string[]]>([
    ['a list', ['RPUSH', KEY, 'x']],
    ['a hash', ['HSET', KEY, 'x', 'y']],
    ['some text', ['SET', KEY, 'something else']],
    ['a long text', ['SET', KEY, 'a1:1'.repeat(100)]],
    ['JSON', ['SET', KEY, '{"a":1}']],
  ])('counts as none, and is mended by the next run: %s', async (_, [command = '', ...args]) => {
    await server.current.redis.call(command, ...args);
    const loaded = await door().load();
    expect(loaded).toMatchObject({ version: null, damaged: true });
    expect(await read(loaded)).toEqual([]);
    expect(await door().replace(blocksOf(1, 2), null)).toBe(true);
    expect(await read(await door().load())).toEqual(blocksOf(1, 2));
  });

  test.each<[string, (blocks: string) => readonly string[]]>([
    ['gone', (blocks) => ['UNLINK', blocks]],
    ['fewer', (blocks) => ['RPOP', blocks]],
    ['of another type', (blocks) => ['SET', blocks, 'x']],
  ])('counts as none where the blocks are %s', async (_, harm) => {
    await door().replace(blocksOf(1, 3), null);
    const [command = '', ...args] = harm(`${KEY}:${await versionOf()}`);
    await server.current.redis.call(command, ...args);
    const loaded = await door().load();
    expect(loaded).toMatchObject({ version: expect.any(String), damaged: true });
    expect(await read(loaded)).toEqual([]);
    expect(await door().replace(blocksOf(2, 2), loaded.version)).toBe(true);
    expect(await read(await door().load())).toEqual(blocksOf(2, 2));
  });
});

describe('a user who may not', () => {
  test('read is told so', async () => {
    await expect(as(['~*', '+@all', '-getrange'], (sightings) => sightings.load())).rejects.toThrow(
      /^NOPERM.*getrange/,
    );
    await expect(as(['~bull:*', '+@all'], (sightings) => sightings.load())).rejects.toThrow(/^NOPERM/);
  });

  test.each(['rpush', 'multi', 'evalsha', 'expire'])('%s is told so, and changes nothing', async (command) => {
    await door().replace(blocksOf(1, 2), null);
    const version = await versionOf();
    const replacing = as(['~*', '+@all', `-${command}`], (sightings) => sightings.replace(blocksOf(2, 2), version));
    await expect(replacing).rejects.toThrow(new RegExp(`^NOPERM.*${command}`));
    expect(await read(await door().load())).toEqual(blocksOf(1, 2));
  });
});
